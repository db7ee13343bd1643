using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Fairseq2Llama.Manifests.Hashing;

/// <summary>A thread that hands chunks to their targets, in the order in which they were added.</summary>
internal sealed class HashLane : IDisposable
{
    private readonly BlockingCollection<(HashChunk Chunk, Range Range, IHashTarget Target)> _work = [];
    private readonly Task _thread;
    private volatile bool _isStopped;
    private Exception? _failure;

    public HashLane() => _thread = Task.Factory.StartNew(Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public void Add(HashChunk chunk, Range range, IHashTarget target) => _work.Add((chunk.Share(), range, target));

    /// <summary>Waits until everything is hashed.</summary>
    public void Complete()
    {
        _work.CompleteAdding();
        _thread.Wait();

        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    public void Dispose()
    {
        _isStopped = true;
        _work.CompleteAdding();
        _thread.Wait();
        _work.Dispose();
    }

    /// <summary>Chunks are released whatever happens: somebody may be waiting for room.</summary>
    private void Run()
    {
        foreach (var (chunk, range, target) in _work.GetConsumingEnumerable())
        {
            using (chunk)
            {
                if (_isStopped || _failure is not null)
                {
                    continue;
                }

                try
                {
                    target.Append(chunk[range]);
                }
                catch (Exception e)
                {
                    _failure = e;
                }
            }
        }
    }
}
