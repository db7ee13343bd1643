using Fairseq2Llama.Stores.Local;
using Fairseq2Llama.Tests.Support;

namespace Fairseq2Llama.Tests.Stores.Local;

public sealed class StagingLockTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Only_one_has_it_at_a_time()
    {
        using (var first = StagingLock.TryAcquire(_folder["staging"]))
        {
            Assert.NotNull(first);
            Assert.Null(StagingLock.TryAcquire(_folder["staging"]));
            Assert.True(first.IsHeld);
        }

        using var second = StagingLock.TryAcquire(_folder["staging"]);
        Assert.NotNull(second);
    }

    [Fact]
    public void Takes_its_folder_away_unless_something_is_in_it()
    {
        StagingLock.TryAcquire(_folder["empty"])!.Dispose();

        using (StagingLock.TryAcquire(_folder["used"]))
        {
            Directory.CreateDirectory(_folder["used/new"]);
        }

        Assert.Equal(["used", "used/new"], _folder.Content);
    }

    [Fact]
    public void Is_had_where_a_killed_process_has_left_its_file()
    {
        Directory.CreateDirectory(_folder["staging"]);
        File.WriteAllText(_folder["staging/lock"], "");

        using var held = StagingLock.TryAcquire(_folder["staging"]);

        Assert.NotNull(held);
    }

    [Fact]
    public void Knows_that_its_folder_was_removed_and_leaves_alone_what_is_there_instead()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "open files keep their folder there");

        using var stale = StagingLock.TryAcquire(_folder["staging"])!;
        Directory.Delete(_folder["staging"], recursive: true);
        Assert.False(stale.IsHeld);

        using var current = StagingLock.TryAcquire(_folder["staging"])!;
        stale.Dispose();

        Assert.True(current.IsHeld);
        Assert.False(stale.IsHeld);
        Assert.Null(StagingLock.TryAcquire(_folder["staging"]));
    }

    [Fact]
    public void Does_not_follow_a_link()
    {
        Directory.CreateDirectory(_folder["precious"]);
        SymbolicLink.ToFolder(_folder["staging"], _folder["precious"]);

        Assert.Contains("is a link", Assert.Throws<IOException>(() => StagingLock.TryAcquire(_folder["staging"])).Message, StringComparison.Ordinal);
        Assert.Equal(["precious", "staging"], _folder.Content);
    }

    [Fact]
    public void Waits_for_who_only_cleans_up()
    {
        var first = StagingLock.TryAcquire(_folder["staging"])!;
        using var timer = new Timer(_ => first.Dispose(), null, 100, Timeout.Infinite);

        using var second = StagingLock.TryAcquire(_folder["staging"], TimeSpan.FromSeconds(30));

        Assert.NotNull(second);
    }

    /// <summary>Each makes the folder, has it for a moment and takes it away, while the others try to come in between.</summary>
    [Lossless]
    [Fact]
    public void Never_lets_two_in_however_they_come_and_go()
    {
        var inside = 0;
        var entered = 0;
        var most = 0;

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            while (Volatile.Read(ref entered) < 500)
            {
                using var held = StagingLock.TryAcquire(_folder["staging"]);

                if (held is not null)
                {
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    Interlocked.Increment(ref entered);
                    Thread.Yield();
                    Interlocked.Decrement(ref inside);
                }
            }
        });

        Assert.Equal(1, most);
        Assert.Empty(_folder.Content);
    }
}
