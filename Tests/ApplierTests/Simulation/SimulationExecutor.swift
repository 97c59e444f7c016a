import Synchronization

/// Runs every task of a simulation on one thread, in an order that the seed decides, and moves virtual time on when
/// nothing is ready. So a whole run, with all its interleavings, follows from its seed.
final class SimulationExecutor: TaskExecutor {
    private let ready = Mutex<[UnownedJob]>([])

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        ready.withLock { $0.append(job) }
    }

    /// Runs `operation` to its end.
    ///
    /// - Returns: `false` when it hangs: nothing is ready and no timer is left.
    func run(
        time: VirtualTime, random: SimulationRandom, _ operation: @escaping @Sendable () async -> Void
    ) -> Bool {
        let isDone = Mutex(false)
        let task = Task(executorPreference: self) {
            await operation()
            isDone.withLock { $0 = true }
        }
        while !isDone.withLock({ $0 }) {
            let job: UnownedJob? = ready.withLock { jobs in
                jobs.isEmpty ? nil : jobs.remove(at: random.below(jobs.count))
            }
            if let job {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if !time.advance() {
                task.cancel()
                return false
            }
        }
        return true
    }
}
