import FlowRuns
import Ledger
import Testing

@Suite("Claims, in every store")
struct ClaimTests {
    @Test("an empty ledger knows nothing", arguments: StoreKind.allCases)
    func empty(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        #expect(try await ledger.record(of: Sample.flow) == FlowRecord(id: Sample.flow))
        #expect(try await ledger.runs(of: Sample.flow).isEmpty)
        #expect(try await ledger.entries(of: nil).isEmpty)
        #expect(try await ledger.flows().isEmpty)
        #expect(try await ledger.verify(now: Sample.now).isEmpty)
    }

    @Test(
        "a claim keeps the exact request, its column and who asked for it",
        arguments: StoreKind.allCases)
    func keepsEverything(kind: StoreKind) async throws {
        let store = try kind.make()
        let column = DeltaColumn(name: "DOB", dateFormat: "yyyy", timezone: "UTC")
        let claim = Sample.claim(Sample.identity(1, rerun: "fix-418"), column: column)
        #expect(try await store.open().claim(claim) == nil)
        #expect(try await store.open().entries(of: nil) == [LedgerEntry(claim)])
        #expect(try await store.open().flows() == [FlowRecord(id: Sample.flow, revision: 1)])
    }

    @Test("a window that is claimed cannot be claimed again", arguments: StoreKind.allCases)
    func claimedTwice(kind: StoreKind) async throws {
        let store = try kind.make()
        let (ledger, rival) = (try store.open(), try store.open())
        #expect(try await ledger.claim(Sample.claim(Sample.identity(1))) == nil)
        #expect(try await rival.claim(Sample.claim(Sample.identity(1))) == .intended)
        #expect(try await rival.claim(Sample.claim(Sample.identity(1, attempt: 2))) == .intended)
        #expect(try await rival.claim(Sample.claim(Sample.identity(1, rerun: "again"))) == nil)
        #expect(try await rival.claim(Sample.claim(Sample.identity(2))) == nil)
        #expect(try await rival.record(of: Sample.flow).revision == 3)
    }

    @Test(
        "the next attempt may be claimed only when the last one came to nothing",
        arguments: StoreKind.allCases)
    func nextAttempt(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        for (number, state) in RunState.allCases.enumerated() {
            let identity = Sample.identity(Int64(number))
            try await ledger.bring(identity, to: state)
            let next = RunIdentity(flow: identity.flow, window: identity.window, attempt: 2)
            let isFree = [.rejected, .released, .failed].contains(state)
            #expect(try await ledger.claim(Sample.claim(next)) == (isFree ? nil : state), "\(state)")
            #expect(try await ledger.claim(Sample.claim(identity)) == state, "\(state)")
        }
    }

    @Test("a request needs a window, and counts its attempts from 1", arguments: StoreKind.allCases)
    func impossible(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let impossible = [
            RunIdentity(flow: Sample.flow, window: nil), Sample.identity(1, attempt: 0),
            Sample.identity(1, rerun: ""),
        ]
        for identity in impossible {
            await #expect(throws: LedgerError.illegalMove(identity, from: nil, to: .intended)) {
                try await ledger.claim(Sample.claim(identity))
            }
        }
        #expect(try await ledger.flows().isEmpty)
    }

    @Test("of many rivals exactly one gets each window", arguments: StoreKind.allCases)
    func rivals(kind: StoreKind) async throws {
        let store = try kind.make()
        let windows = 1...Int64(25)
        let wins = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for rival in 0..<8 {
                let ledger = try store.open()
                group.addTask {
                    var won: [Int64] = []
                    for window in rival.isMultiple(of: 2) ? Array(windows) : windows.reversed() {
                        // Different attempts, too: it is the window that is claimed.
                        let identity = Sample.identity(window, attempt: 1 + rival % 3)
                        if try await ledger.claim(Sample.claim(identity)) == nil { won.append(window) }
                    }
                    return won
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(wins.sorted() == Array(windows))
        #expect(try await store.open().record(of: Sample.flow).revision == windows.count)
    }

    @Test("a claim is renewed, and called off, only as it stands", arguments: StoreKind.allCases)
    func renewal(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        let identity = Sample.identity(1)
        let (first, second) = (Sample.now, Sample.now + .milliseconds(5000))
        #expect(try await !ledger.renew(identity, claimedAt: first, now: second))
        _ = try await ledger.claim(Sample.claim(identity, at: first))
        #expect(try await ledger.renew(identity, claimedAt: first, now: second))
        #expect(try await ledger.runs(of: Sample.flow).map(\.recordedAt) == [second])
        #expect(try await !ledger.renew(identity, claimedAt: first, now: second + .milliseconds(1)))
        #expect(try await !ledger.release(identity, claimedAt: first, reason: "absent", at: second + .milliseconds(2)))
        #expect(try await ledger.release(identity, claimedAt: second, reason: "absent", at: second + .milliseconds(2)))
        #expect(try await !ledger.release(identity, claimedAt: second, reason: "absent", at: second + .milliseconds(2)))
        #expect(try await !ledger.renew(identity, claimedAt: second, now: second + .milliseconds(3)))
        #expect(try await ledger.record(of: Sample.flow).revision == 3)
    }

    @Test("a flow is locked for one applier at a time", arguments: StoreKind.allCases)
    func locks(kind: StoreKind) async throws {
        let store = try kind.make()
        let (ledger, rival) = (try store.open(), try store.open())
        let lock = try #require(try await ledger.lock(Sample.flow))
        #expect(try await rival.lock(Sample.flow) == nil)
        #expect(try await ledger.lock(Sample.flow) == nil)
        let other = try #require(try await rival.lock(Sample.flow(2)))
        await lock.release()
        let next = try #require(try await rival.lock(Sample.flow))
        await lock.release()
        #expect(try await ledger.lock(Sample.flow) == nil)
        await next.release()
        await other.release()
        let last = try await ledger.lock(Sample.flow)
        #expect(last != nil)
        await last?.release()
    }

    @Test("an applier that ends leaves no lock behind, and its stale lock frees nobody else's")
    func abandoned() async throws {
        let store = InMemoryLedgerStore()
        let (crashed, rival) = (InMemoryLedger(store: store), InMemoryLedger(store: store))
        let stale = try #require(try crashed.lock(Sample.flow))
        crashed.abandonLocks()
        #expect(try rival.lock(Sample.flow) != nil)
        await stale.release()
        #expect(try crashed.lock(Sample.flow) == nil)
    }

    @Test("a closed ledger says so, and may be closed twice", arguments: StoreKind.allCases)
    func closed(kind: StoreKind) async throws {
        let ledger = try kind.make().open()
        await ledger.close()
        await ledger.close()
        let error = await #expect(throws: LedgerError.self) { try await ledger.flows() }
        #expect(error?.description.contains("is closed") == true)
    }
}

extension Ledger {
    /// Claims a window and leads it along the arrows.
    func bring(_ identity: RunIdentity, to state: RunState) async throws {
        _ = try await claim(Sample.claim(identity))
        let run = Sample.run("run \(identity.window?.start.seconds ?? 0) \(identity.attempt)")
        switch state {
        case .intended: break
        case .accepted: try await conclude(identity, .accepted(run, response: "{}"), at: Sample.now)
        case .rejected:
            try await conclude(identity, .rejected(reason: "no", response: nil), at: Sample.now)
        case .inDoubt:
            try await conclude(identity, .inDoubt(reason: "lost", response: nil), at: Sample.now)
        case .released: try await conclude(identity, .released(reason: "absent"), at: Sample.now)
        case .succeeded, .partial, .failed:
            try await conclude(identity, .accepted(run, response: "{}"), at: Sample.now)
            try await conclude(identity, .ended(RunEnd(state: state)), at: Sample.now)
        }
    }
}
