using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Takes absolute addresses of HTTP and HTTPS only. Without this, the SDK of a store refuses others in its own words.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ValidateHttpAddressAttribute : ValidateArgumentsAttribute
{
    protected override void Validate(object arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is not Uri { IsAbsoluteUri: true, Scheme: "http" or "https" })
        {
            throw new ValidationMetadataException($"'{arguments}' is not the address of a service. Begin it with https:// or http://.");
        }
    }
}
