using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>The meaning of -Step and -AllSteps of a command.</summary>
internal static class StepArguments
{
    /// <returns>Null for the newest finished step.</returns>
    public static StepSelection? SelectSteps(this Cmdlet cmdlet, string[]? step, bool allSteps)
    {
        if (allSteps && step is not null)
        {
            cmdlet.ThrowTerminatingError(ErrorRecords.Ambiguous("Use either -Step or -AllSteps; -AllSteps is the same as -Step *."));
        }

        return allSteps ? StepSelection.All : step is null ? null : new StepSelection(step);
    }
}
