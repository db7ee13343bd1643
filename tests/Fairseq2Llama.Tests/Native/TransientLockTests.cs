using Fairseq2Llama.Native;

namespace Fairseq2Llama.Tests.Native;

/// <summary>Locks that go away by themselves. Windows reports them by the numbers of its errors 32, 33, 5 and 145.</summary>
public sealed class TransientLockTests
{
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(2)];

    private readonly List<TimeSpan> _waited = [];

    private static Exception SharingViolation => new IOException("in use", unchecked((int)0x80070020));

    /// <summary>.NET's errors of Directory.Move and Directory.Delete for a folder with an open file.</summary>
    private static Exception FolderDenied => new IOException("denied", unchecked((int)0x80070005));

    private static Exception FolderKept => new IOException("denied");

    private static Exception NotEmpty => new IOException("not empty", unchecked((int)0x80070091));

    [Fact]
    public void A_lock_that_goes_away_is_outwaited()
    {
        Assert.Equal("done", Outwait(TransientLock.CanCause, SharingViolation, FolderDenied));
        Assert.Equal("done", Outwait(TransientLock.CanCause, new UnauthorizedAccessException()));
        Assert.Equal([.. Pauses, Pauses[0]], _waited);
    }

    [Fact]
    public void A_lock_that_stays_is_reported_in_the_end()
    {
        var error = SharingViolation;

        Assert.Same(error, Assert.Throws<IOException>(() => Outwait(TransientLock.CanCause, SharingViolation, SharingViolation, error)));
        Assert.Equal(Pauses, _waited);
    }

    [Fact]
    public void Another_error_is_reported_at_once()
    {
        Assert.Throws<IOException>(() => Outwait(TransientLock.CanCause, NotEmpty));
        Assert.Empty(_waited);
    }

    [Fact]
    public void A_folder_may_become_empty() => Assert.Equal("done", Outwait(TransientLock.CanKeepFolder, NotEmpty, FolderKept));

    [Fact]
    public void Only_Windows_has_such_locks()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a system where open files can be moved and deleted");

        var attempts = 0;
        Assert.Throws<UnauthorizedAccessException>(() => TransientLock.Outwait(
            () =>
            {
                attempts++;
                throw new UnauthorizedAccessException();
            },
            TransientLock.CanCause));

        Assert.Equal(1, attempts);
    }

    /// <summary>Work that fails with one error after the other, and then is done.</summary>
    private string Outwait(Func<Exception, bool> isTransient, params Exception[] errors)
    {
        var left = new Queue<Exception>(errors);
        return TransientLock.Outwait(() => left.TryDequeue(out var error) ? throw error : "done", isTransient, Pauses, _waited.Add);
    }
}
