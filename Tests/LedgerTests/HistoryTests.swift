import FlowRuns
import Ledger
import SQLiteLedger
import TestSupport
import Testing

@Suite("Random histories")
struct HistoryTests {
    @Test(
        "both stores answer every question alike, and keep every invariant",
        arguments: 1...8 as ClosedRange<UInt64>)
    func storesAgree(seed: UInt64) async throws {
        let (memory, file) = (InMemoryLedger(), try SQLiteStore())
        let sqlite = try file.open()
        var history = History(seed: seed)
        for step in 0..<120 {
            let deed = history.next()
            let (expected, found) = (await deed.outcome(in: memory), await deed.outcome(in: sqlite))
            #expect(expected == found, "seed \(seed), step \(step): \(deed)")
        }
        #expect(try await sqlite.entries(of: nil) == memory.entries(of: nil))
        #expect(try await sqlite.flows() == memory.flows())
        for flow in try memory.flows() {
            #expect(try await sqlite.runs(of: flow.id) == memory.runs(of: flow.id))
        }
        #expect(try await sqlite.storeFaults().isEmpty)
        #expect(try await sqlite.verify(now: history.now).isEmpty)
    }

    @Test("an export put into an empty ledger exports the same bytes", arguments: StoreKind.allCases)
    func roundTrip(kind: StoreKind) async throws {
        for seed in 100..<105 as Range<UInt64> {
            let ledger = InMemoryLedger()
            var history = History(seed: seed)
            for _ in 0..<150 { _ = await history.next().outcome(in: ledger) }
            let exported = try await ledger.exported()
            let copy = try kind.make().open()
            for _ in 1...2 {
                try await LedgerImport(exported, target: Sample.target).restore(into: copy)
                #expect(try await copy.exported() == exported)
            }
        }
    }
}

/// Anything that appliers and refreshes may do to a ledger, in an order that the seed decides.
struct History {
    enum Deed {
        case claim(Claim)
        case renew(RunIdentity, claimedAt: Timestamp, now: Timestamp)
        case conclude(RunIdentity, Conclusion, at: Timestamp)
        case observe(Observation)

        /// What the ledger answers, or how it refuses, and the flow's record after it.
        func outcome(in ledger: some Ledger) async -> String {
            do {
                switch self {
                case .claim(let claim): return "\(String(describing: try await ledger.claim(claim)))"
                case .renew(let identity, let claimedAt, let now):
                    return "\(try await ledger.renew(identity, claimedAt: claimedAt, now: now))"
                case .conclude(let identity, let conclusion, let now):
                    try await ledger.conclude(identity, conclusion, at: now)
                    return "\(try await ledger.record(of: identity.flow))"
                case .observe(let observation):
                    try await ledger.observe(observation)
                    return "\(try await ledger.record(of: observation.flow))"
                }
            } catch {
                return "\(error)"
            }
        }
    }

    private var random: SeededGenerator
    private(set) var now = Sample.now

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func next() -> Deed {
        now += .milliseconds(Int.random(in: 1...3, using: &random))
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: return .claim(Sample.claim(identity(), at: now))
        case 4:
            return .renew(identity(), claimedAt: now - .milliseconds(Int.random(in: 1...9, using: &random)), now: now)
        case 5..<9: return .conclude(identity(), conclusion(), at: now)
        default:
            let runs = (0..<Int.random(in: 0...4, using: &random)).map { _ in observed() }
            let column = Bool.random(using: &random) ? DeltaColumn(name: "DOB") : nil
            return .observe(Sample.observation(runs, of: flow(), column: column, at: now))
        }
    }

    private mutating func flow() -> FlowID { Sample.flow(Int.random(in: 1...2, using: &random)) }

    /// Attempts mostly follow each other, as a planner counts them.
    private mutating func identity() -> RunIdentity {
        let rerun = Int.random(in: 0..<4, using: &random) == 0 ? "again" : nil
        return Sample.identity(Int64.random(in: 1...4, using: &random), of: flow(), rerun: rerun)
    }

    private mutating func run() -> String { "run \(Int.random(in: 1...25, using: &random))" }

    private mutating func end() -> RunEnd {
        RunEnd(
            state: [.succeeded, .partial, .failed].randomElement(using: &random)!,
            failure: "E1 \"quoted\"\n")
    }

    private mutating func conclusion() -> Conclusion {
        switch Int.random(in: 0..<5, using: &random) {
        case 0, 1: .accepted(Sample.run(run()), response: "{\"id\":\"…\"}")
        case 2: .rejected(reason: "no", response: nil)
        case 3: .inDoubt(reason: "lost", response: "\u{1}half")
        default: .ended(end())
        }
    }

    private mutating func observed() -> ObservedRun {
        Sample.observed(
            run(), Bool.random(using: &random) ? Int64.random(in: 1...4, using: &random) : nil,
            createdAt: now - .milliseconds(Int.random(in: 0...50, using: &random)), status: "seen",
            end: Bool.random(using: &random) ? end() : nil,
            counts: RunCounts(inputRecords: Int64.random(in: 0...9, using: &random)))
    }
}

extension Ledger {
    func exported() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await export(target: Sample.target) { bytes += $0 }
        return bytes
    }
}
