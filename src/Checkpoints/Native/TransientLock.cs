namespace Fairseq2Llama.Native;

/// <summary>
/// Waits for locks that go away by themselves. On Windows, an open file can't be replaced, moved or deleted, and virus scanners and indexers open every new file for a
/// moment. What is deleted while it is open keeps its name until it is closed, and can't be opened any more. Other systems know neither.
/// </summary>
internal static class TransientLock
{
    private const int SharingViolation = unchecked((int)0x80070020);
    private const int LockViolation = unchecked((int)0x80070021);
    private const int FolderNotEmpty = unchecked((int)0x80070091);

    /// <summary>What .NET throws for a folder that can't be moved, instead of an <see cref="UnauthorizedAccessException"/>.</summary>
    private const int AccessDenied = unchecked((int)0x80070005);

    /// <summary>What it throws for a folder that can't be deleted, and for much else.</summary>
    private const int Unspecific = unchecked((int)0x80131620);

    /// <summary>Five seconds altogether.</summary>
    private static readonly TimeSpan[] Pauses = [.. Enumerable.Range(0, 9).Select(attempt => TimeSpan.FromMilliseconds(10 << attempt))];

    /// <summary>Whether another process has the file open, as an error says.</summary>
    public static bool IsSharingViolation(Exception error) => error is IOException { HResult: SharingViolation or LockViolation };

    /// <summary>Whether an error can be that of a file or folder that goes when somebody else closes it. It can also mean that this user may not open or create it.</summary>
    public static bool CanBeOfDeleted(Exception error) => error is UnauthorizedAccessException;

    /// <summary>Whether an error can be that of a lock. It can also mean that this user may not do it.</summary>
    public static bool CanCause(Exception error) => error is UnauthorizedAccessException or IOException { HResult: AccessDenied } || IsSharingViolation(error);

    /// <summary>As <see cref="CanCause"/>, for a folder that is deleted with its content: what was deleted in it may still be there.</summary>
    public static bool CanKeepFolder(Exception error) => CanCause(error) || error is IOException { HResult: FolderNotEmpty or Unspecific };

    /// <summary>Does something, and on Windows tries again for some seconds.</summary>
    /// <param name="work">What to do; it must be possible to do it again.</param>
    /// <param name="isTransient">Whether an error may go away.</param>
    public static T Outwait<T>(Func<T> work, Func<Exception, bool> isTransient) =>
        Outwait(work, isTransient, OperatingSystem.IsWindows() ? Pauses : [], Thread.Sleep);

    /// <inheritdoc cref="Outwait{T}(Func{T}, Func{Exception, bool})"/>
    public static void Outwait(Action work, Func<Exception, bool> isTransient) => Outwait(
        () =>
        {
            work();
            return true;
        },
        isTransient);

    /// <inheritdoc cref="Outwait{T}(Func{T}, Func{Exception, bool})"/>
    internal static T Outwait<T>(Func<T> work, Func<Exception, bool> isTransient, IEnumerable<TimeSpan> pauses, Action<TimeSpan> wait)
    {
        foreach (var pause in pauses)
        {
            try
            {
                return work();
            }
            catch (Exception e) when (isTransient(e))
            {
                wait(pause);
            }
        }

        return work();
    }
}
