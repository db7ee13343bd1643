using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Accepts what a <see cref="StepSelection"/> can be made of.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ValidateStepAttribute : ValidateEnumeratedArgumentsAttribute
{
    protected override void ValidateElement(object element)
    {
        if (element is not string text || !StepSelection.IsValid(text))
        {
            throw new ValidationMetadataException($"'{element}' is neither the number of a step, such as 500, nor a wildcard for numbers, such as 5*, [1-5]000 or *.");
        }
    }
}
