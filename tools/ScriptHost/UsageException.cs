namespace ScriptHost;

/// <summary>The command line asks for something that cannot be run.</summary>
internal sealed class UsageException(string message) : Exception(message);
