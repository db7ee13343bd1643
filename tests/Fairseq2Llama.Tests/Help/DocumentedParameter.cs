using System.Collections;
using System.Management.Automation;

namespace Fairseq2Llama.Tests.Help;

/// <summary>What help has to say of a parameter, by what the command itself is like.</summary>
internal sealed record DocumentedParameter(
    string Name, string TypeName, string Required, string Position, string PipelineInput, string Globbing, string VariableLength, string Aliases, string Default)
{
    /// <summary>Those of a command; the common ones are described by PowerShell, but for -WhatIf and -Confirm.</summary>
    public static IEnumerable<DocumentedParameter> Of(CommandInfo command, object instance) =>
        from parameter in command.Parameters.Values
        where !Cmdlet.CommonParameters.Contains(parameter.Name)
        select From(parameter, instance);

    private static string NameOf(Type type)
    {
        var element = type.IsArray ? type.GetElementType()! : Nullable.GetUnderlyingType(type) ?? type;

        var name = Type.GetTypeCode(element) switch
        {
            _ when element.IsEnum => element.Name,
            TypeCode.String => "string",
            TypeCode.Int32 => "int",
            TypeCode.Int64 => "long",
            TypeCode.Double => "double",
            TypeCode.Boolean => "bool",
            _ => element.Name,
        };

        return type.IsArray ? $"{name}[]" : name;
    }

    private static DocumentedParameter From(ParameterMetadata parameter, object instance)
    {
        var set = parameter.ParameterSets.Values.First();
        var pipeline = set.ValueFromPipeline ? "true (ByValue)" : set.ValueFromPipelineByPropertyName ? "true (ByPropertyName)" : "false";

        return new DocumentedParameter(
            parameter.Name,
            NameOf(parameter.ParameterType),
            set.IsMandatory ? "true" : "false",
            set.Position < 0 ? "named" : $"{set.Position}",
            pipeline,
            parameter.Attributes.OfType<SupportsWildcardsAttribute>().Any() ? "true" : "false",
            parameter.ParameterType.IsArray ? "true" : "false",
            parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases),
            parameter.SwitchParameter ? "False" : DefaultOf(parameter, instance));
    }

    private static string DefaultOf(ParameterMetadata parameter, object instance) => instance.GetType().GetProperty(parameter.Name)?.GetValue(instance) switch
    {
        null or "" => "None",
        string text => text,
        IEnumerable values when string.Join(", ", values.Cast<object>()) is { Length: > 0 } list => list,
        IEnumerable => "None",
        var value => $"{value}",
    };
}
