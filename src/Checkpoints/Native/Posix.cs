using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Fairseq2Llama.Native;

/// <summary>
/// What .NET asks the operating system for and says nothing of when it is refused, or does not ask for at all. Numbers and layouts are those
/// of Linux and macOS; no function here is called on Windows. Functions with a variable number of arguments are called without them, because
/// on ARM macOS passes those in another way.
/// </summary>
internal static partial class Posix
{
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int BadDescriptor = 9;
    public const int Exists = 17;
    public const int NotFolder = 20;
    public const int Invalid = 22;
    public const int NoSpace = 28;
    public const int ReadOnlyFileSystem = 30;

    public const int ReadOnly = 0;
    public const int ReadWrite = 2;

    public const int LockExclusively = 2;
    public const int LockOrFail = 4;

    public static readonly int WouldBlock = OnMac(35, 11);
    public static readonly int NoLocks = OnMac(77, 37);
    public static readonly int NotImplemented = OnMac(78, 38);
    public static readonly int LinkLoop = OnMac(62, 40);
    public static readonly int NotSupported = OnMac(45, 95);

    /// <summary>macOS has two numbers for it.</summary>
    public static readonly int OperationNotSupported = OnMac(102, 95);

    public static readonly int QuotaExceeded = OnMac(69, 122);

    public static readonly int NonBlocking = OnMac(0x4, 0x800);
    public static readonly int CloseOnExec = OnMac(0x1000000, 0x80000);

    /// <summary>The processors that Linux came to before the others have other numbers.</summary>
    public static readonly int NoFollow = OnMac(
        0x100, RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 or Architecture.Ppc64le ? 0x8000 : 0x20000);

    /// <summary>The error of the last call.</summary>
    public static int LastError => Marshal.GetLastPInvokeError();

    /// <summary>An error with the number that .NET also gives it, so that its handlers need not know where it came from.</summary>
    /// <param name="path">The file or folder.</param>
    /// <param name="what">What could not be done with it; follows the path.</param>
    /// <param name="error">The number of the error.</param>
    public static IOException Error(string path, string what, int error) =>
        new($"'{path}' {what}: {Marshal.GetPInvokeErrorMessage(error)}.", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(nint descriptor);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(SafeFileHandle file, int command);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    public static partial int Lock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeFolder(string path, int mode);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    private static int OnMac(int number, int elsewhere) => OperatingSystem.IsMacOS() ? number : elsewhere;
}
