using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.House;

/// <summary>Sessions of tests, whose engines are used again.</summary>
public sealed class SessionTests
{
    [Theory]
    [InlineData("$mine = 1; $global:mine = 1; ${script:mine} = 1", "$mine", "")]
    [InlineData("$ExecutionContext.SessionState.PSVariable.Set([psvariable]::new('mine', 1, 'Constant'))", "$mine", "")]
    [InlineData("$global:PSDefaultParameterValues['*:Verbose'] = $true", "$PSDefaultParameterValues.Count", "0")]
    [InlineData("$global:ErrorActionPreference = 'Stop'; $global:WhatIfPreference = $true", "\"$ErrorActionPreference $WhatIfPreference\"", "Continue False")]
    [InlineData("$global:ConfirmPreference = 'Low'; $global:ProgressPreference = 'Ignore'", "\"$ConfirmPreference $ProgressPreference\"", "High Continue")]
    [InlineData("try { throw 'mine' } catch { }", "$Error.Count", "0")]
    [InlineData("function global:Get-Mine { }", "[bool] (Get-Command Get-Mine -ErrorAction Ignore)", "False")]
    [InlineData("function global:Get-LlamaArchitecture { }", "(Get-Command Get-LlamaArchitecture).CommandType", "Cmdlet")]
    [InlineData("$ExecutionContext.InvokeProvider.Item.Set('alias:gla', 'Get-LlamaArchitecture')", "[bool] (Get-Command gla -ErrorAction Ignore)", "False")]
    [InlineData("Remove-Module Fairseq2Llama", "(Get-Module Fairseq2Llama).Name", "Fairseq2Llama")]
    [InlineData("New-Module Mine { } | Import-Module", "(Get-Module Mine).Name", "")]
    [InlineData("Set-StrictMode -Version Latest", "$none", "")]
    public void Keep_nothing(string script, string question, string answer)
    {
        using (var session = new Session())
        {
            session.Location = Repository.Data("checkpoints");
            session.Host.Width = 80;
            session.Host.Answer = "No";
            session.Run($"{script}; $Host.UI.WriteLine('shown')");
        }

        using var next = new Session();

        Assert.Equal(answer, string.Concat(next.Run(question)));
        Assert.Equal(Repository.Root.TrimEnd(Path.DirectorySeparatorChar), next.Location.TrimEnd(Path.DirectorySeparatorChar));
        Assert.Equal(400, next.RunOne<int>("$Host.UI.RawUI.BufferSize.Width"));
        Assert.Empty(next.Host.TakeLines());
    }
}
