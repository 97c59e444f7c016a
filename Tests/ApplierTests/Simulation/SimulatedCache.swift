import FlowRuns
import FlowService
import Synchronization

/// How caches in front of the service answer.
struct CacheHabits: Sendable {
    /// How old an answer may be.
    let lifetime: Duration
    /// Whether a cached answer has an `Age`.
    let tellsAge: Bool
    /// Whether `Cache-Control: no-cache` is obeyed. Then there is nothing to be seen of the cache.
    let honoursNoCache: Bool
    /// Only answers to GETs of runs are kept, not those of flows.
    let isForRunsOnly: Bool
    /// Each machine has a cache of its own, as a company's proxy; otherwise all share one, as a gateway.
    let isPerMachine: Bool

    init(_ random: SimulationRandom) {
        lifetime = random.seconds(1, 5, 30, 60, 100, 130, 180, 300, 600, 1200)
        tellsAge = random.happens(0.5)
        honoursNoCache = random.happens(0.1)
        isForRunsOnly = random.happens(0.5)
        isPerMachine = random.happens(0.3)
    }
}

/// A GET, as far as a cache and the choice of a node look at it.
struct Question: Hashable, Sendable {
    enum Path: Int, Hashable, Sendable {
        case runs
        case runsByID
        case flow
        case flows
    }

    let path: Path
    /// The rest of the address.
    let query: String

    init(_ path: Path, _ query: String) {
        self.path = path
        self.query = query
    }
}

/// Answers of the service that may be given once more.
final class SimulatedCache: Sendable {
    private struct Key: Hashable {
        let question: Question
        /// Differs where the same question is asked with another page limit.
        let variant: Int
        let machine: Int?
    }

    private struct Entry {
        let box: any Sendable
        let date: Timestamp?
        let producedAt: Duration
    }

    private struct Box<Value: Sendable>: Sendable { let value: Value }

    /// An answer of the cache.
    struct Answer<Value: Sendable>: Sendable {
        let value: Value
        /// That of the service's answer.
        let date: Timestamp?
        let age: Int?
        /// The true age.
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

    /// - Parameter sent: when the process sent the question.
    /// - Returns: `nil` where the service itself answers.
    func answer<Value: Sendable>(
        _ question: Question, variant: Int, of process: SimulatedProcess, sent: Duration
    ) -> Answer<Value>? {
        guard let key = key(question, variant, process), let entry = entries.withLock({ $0[key] }),
            let box = entry.box as? Box<Value>
        else { return nil }
        let heldFor = process.time.elapsed - entry.producedAt
        // `Age` has whole seconds, too.
        guard heldFor >= .seconds(1), heldFor <= habits.lifetime else { return nil }
        // Without an `Age`, an answer that cannot be told from a fresh one is not drawn.
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
