using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Fairseq2Llama.Cmdlets;

/// <summary>The value that an expression already has, without running anything: not even the getter of a property that a script defines.</summary>
internal static class StaticValue
{
    /// <param name="expression">A variable, or an element or a property of what one holds.</param>
    /// <returns>Null where that would have to be evaluated.</returns>
    public static object? Of(ExpressionAst expression) => Unwrap(expression switch
    {
        VariableExpressionAst { VariablePath.IsVariable: true } variable => OfVariable(variable.VariablePath.UserPath),
        InvokeMemberExpressionAst => null,
        MemberExpressionAst { Static: false, Member: StringConstantExpressionAst member } access => Member(OfTarget(access.Expression), member.Value),
        IndexExpressionAst { Index: ConstantExpressionAst { Value: int index } } access => Element(Unwrap(OfTarget(access.Target)), index),
        _ => null,
    });

    public static object? Unwrap(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    private static object? OfTarget(ExpressionAst target) => target is VariableExpressionAst { VariablePath.IsVariable: true } variable
        ? OfVariable(variable.VariablePath.UserPath)
        : Of(target);

    // In an array, or the pipeline would take apart what the variable holds, however long that is.
    private static object? OfVariable(string name) =>
        CompletionRunspace.Invoke<object[]>("param($Name) , @(, $ExecutionContext.SessionState.PSVariable.GetValue($Name))", name) is [[var value]] ? value : null;

    private static object? Member(object? target, string name) => Unwrap(target) is IDictionary table
        ? table[name]
        : target is PSObject custom && custom.Properties[name] is PSNoteProperty property ? property.Value : null;

    private static object? Element(object? target, int index) =>
        target is IList list && (index < 0 ? index + list.Count : index) is var at && at >= 0 && at < list.Count ? list[at] : null;
}
