import FlowRuns
import FlowService
import Synchronization

/// Behaviour of the caches in front of the service.
struct CacheHabits: Sendable {
    /// Maximum age of a cached answer.
    let lifetime: Duration
    /// Whether a cached answer has an `Age`.
    let tellsAge: Bool
    /// Whether `Cache-Control: no-cache` is obeyed; the cache has no effect then.
    let honoursNoCache: Bool
    /// Whether only `/runs` is cached, and not `/flows`.
    let isForRunsOnly: Bool
    /// Whether each machine has its own cache (a company proxy), or all share one (a gateway).
    let isPerMachine: Bool

    init(_ random: SimulationRandom) {
        lifetime = random.seconds(1, 5, 30, 60, 100, 130, 180, 300, 600, 1200)
        tellsAge = random.happens(0.5)
        honoursNoCache = random.happens(0.1)
        isForRunsOnly = random.happens(0.5)
        isPerMachine = random.happens(0.3)
    }
}

/// The parts of a GET that select its cache entry and its node.
struct Question: Hashable, Sendable {
    enum Path: Int, Hashable, Sendable {
        case runs
        case runsByID
        case flow
        case flows
    }

    let path: Path
    /// The query string, or the id in the path.
    let query: String

    init(_ path: Path, _ query: String) {
        self.path = path
        self.query = query
    }
}

/// The cached answers of the service.
final class SimulatedCache: Sendable {
    private struct Key: Hashable {
        let question: Question
        /// Differs between page limits of the same request.
        let variant: Int
        let machine: Int?
    }

    private struct Entry {
        let box: any Sendable
        let date: Timestamp?
        let producedAt: Duration
    }

    private struct Box<Value: Sendable>: Sendable { let value: Value }

    /// A cache hit.
    struct Answer<Value: Sendable>: Sendable {
        let value: Value
        /// The `Date` of the original answer.
        let date: Timestamp?
        let age: Int?
        /// The true age, which the headers may not show.
        let heldFor: Duration
    }

    private let habits: CacheHabits
    private let entries = Mutex<[Key: Entry]>([:])

    init(_ habits: CacheHabits) { self.habits = habits }

    private func key(_ question: Question, _ variant: Int, _ process: SimulatedProcess) -> Key? {
        guard !habits.honoursNoCache, !process.isQuiet else { return nil }
        if habits.isForRunsOnly, ![.runs, .runsByID].contains(question.path) { return nil }
        return Key(question: question, variant: variant, machine: habits.isPerMachine ? process.machine.number : nil)
    }

    /// - Parameter sent: when the process sent the request.
    /// - Returns: `nil` on a cache miss.
    func answer<Value: Sendable>(
        _ question: Question, variant: Int, of process: SimulatedProcess, sent: Duration
    ) -> Answer<Value>? {
        guard let key = key(question, variant, process), let entry = entries.withLock({ $0[key] }),
            let box = entry.box as? Box<Value>
        else { return nil }
        let heldFor = process.time.elapsed - entry.producedAt
        // `Age` has whole seconds: a younger answer would look fresh.
        guard heldFor >= .seconds(1), heldFor <= habits.lifetime else { return nil }
        // Without an `Age`, skip answers that the process cannot tell from fresh ones.
        guard habits.tellsAge || process.couldTell(entry.date, isOlderThan: sent) else { return nil }
        return Answer(
            value: box.value, date: entry.date, age: habits.tellsAge ? Int(heldFor.wholeSeconds) : nil,
            heldFor: heldFor)
    }

    func keep<Value: Sendable>(
        _ value: Value, _ date: Timestamp?, for question: Question, variant: Int, of process: SimulatedProcess
    ) {
        guard let key = key(question, variant, process) else { return }
        let entry = Entry(box: Box(value: value), date: date, producedAt: process.time.elapsed)
        entries.withLock { $0[key] = entry }
    }
}
