using System.Management.Automation;

namespace Fairseq2Llama.Cmdlets;

/// <summary>Accepts what <see cref="ByteSize"/> can parse.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ValidateByteSizeAttribute : ValidateArgumentsAttribute
{
    protected override void Validate(object arguments, EngineIntrinsics engineIntrinsics)
    {
        if (arguments is not string text || ByteSize.Parse(text) is null)
        {
            throw new ValidationMetadataException($"'{arguments}' is no size. Write a number of bytes, or one with a suffix: 500MB, 5GB, 5GiB.");
        }
    }
}
