import FlowRuns
import Foundation
import GitLedger
import Ledger
import TestSupport
import Testing

@Suite("Detection of lost commits in a Git ledger")
struct TrustTests {
    private func setBack(_ fixture: GitFixture, _ how: String) throws {
        let ref = try fixture.flowRef()
        switch how {
        case "set back": try fixture.repository.git("update-ref", ref, "\(ref)~1")
        case "deleted": try fixture.repository.git("update-ref", "-d", ref)
        default:
            let tree = try fixture.repository.git("rev-parse", "\(ref)^{tree}").trimmingCharacters(in: .newlines)
            let commit = try runProgram(
                "git",
                [
                    "--git-dir=\(fixture.repository.path)", "-c", "user.name=x", "-c", "user.email=x@x", "commit-tree",
                    tree, "-m", "x",
                ],
                fixture.repository.environment)
            try fixture.repository.git("update-ref", ref, commit.trimmingCharacters(in: .newlines))
        }
    }

    @Test(
        "a reset, rewritten or deleted ref is reported, and its flow needs a recheck",
        arguments: ["set back", "rewritten", "deleted"])
    func lost(how: String) async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        for day in 0..<3 { #expect(try await store.claim(day: Int64(day), nonce: "n\(day)") == .done) }
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).record.needsRecheck == false)
        try setBack(fixture, how)

        let again = fixture.open()
        let snapshot = try await again.snapshot(of: GitFixture.flow)
        #expect(snapshot.record.needsRecheck)
        #expect(fixture.notices.count == 1)
        #expect(fixture.notices.first?.contains("set back, rewritten or deleted") == true)
        #expect(try await fixture.open(machine: "new").snapshot(of: GitFixture.flow).record.needsRecheck == false)

        // After a full comparison, the flow needs no more rechecks.
        var ledger = FlowLedger(snapshot)
        _ = try ledger.observe(
            RunListing(runs: [], date: nil, isComplete: true),
            settling: ClaimSettlementPolicy(settle: .seconds(120), seenFor: .seconds(200), waitedFrom: ledger.base),
            at: GitFixture.now)
        #expect(try await again.commit(ledger.commit(nonce: "recheck")) == .done)
        #expect(try await again.snapshot(of: GitFixture.flow).record.needsRecheck == false)
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).record.needsRecheck == false)
    }

    @Test(
        "a ref that is reset while the ledger is in use ends the use",
        arguments: ["set back", "rewritten", "deleted"])
    func inUse(how: String) async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        for day in 0..<2 { #expect(try await store.claim(day: Int64(day), nonce: "n\(day)") == .done) }
        var ledger = FlowLedger(try await store.snapshot(of: GitFixture.flow))
        try ledger.claim(day: 2)
        try setBack(fixture, how)
        await #expect {
            _ = try await store.commit(ledger.commit(nonce: "late"))
        } throws: { error in
            if case .replaced? = error as? LedgerError { true } else { false }
        }
    }

    @Test("a new copy without history does not hide that a ref was reset", arguments: ["set back", "rewritten"])
    func withoutHistory(how: String) async throws {
        let fixture = try GitFixture()
        for day in 0..<4 { #expect(try await fixture.open().claim(day: Int64(day), nonce: "n\(day)") == .done) }
        // Unlike Foundation, `rm` accepts that a file disappears meanwhile.
        func removeCache() throws {
            try runProgram("rm", ["-rf", fixture.repository.home + "/a/cache"], fixture.repository.environment)
        }
        try removeCache()
        #expect(try await fixture.open(machine: "b").claim(day: 4, nonce: "n4") == .done)
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).record.needsRecheck == false)
        #expect(try await fixture.open().claim(day: 5, nonce: "n5") == .done)
        #expect(fixture.notices.isEmpty)
        try removeCache()
        try setBack(fixture, how)
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).record.needsRecheck)
        #expect(fixture.notices.count == 1)
    }

    @Test("a deleted or damaged cache is created again")
    func cache() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        let cache = fixture.repository.home + "/a/cache/sluice/git"
        let copies = try FileManager.default.contentsOfDirectory(atPath: cache)
        let name = try #require(copies.first { $0.hasSuffix(".git") })
        try FileManager.default.removeItem(atPath: "\(cache)/\(name)/objects")
        #expect(try await fixture.open().claim(day: 1, nonce: "b") == .done)
        #expect(fixture.notices.count == 1)
        try runProgram("rm", ["-rf", cache], fixture.repository.environment)
        let store = fixture.open()
        #expect(try await store.days() == [0, 1])
        #expect(fixture.notices.count == 1, "a deleted copy is no damage")
    }

    @Test("a host that lets a late push replace another is detected at the first use")
    func brokenHost() async throws {
        let fixture = try GitFixture()
        // The hook deletes the ref of the earlier push, so that the late push succeeds.
        try fixture.repository.setHook(
            "pre-receive",
            """
            while read -r old new ref; do
                env -u GIT_QUARANTINE_PATH -u GIT_OBJECT_DIRECTORY -u GIT_ALTERNATE_OBJECT_DIRECTORIES \\
                    git update-ref -d "$ref"
            done
            """)
        for machine in ["a", "b"] {
            await #expect {
                _ = try await fixture.open(machine: machine).claim(day: 0, nonce: "a")
            } throws: { "\($0)".contains("lets a late push replace another") }
        }
        #expect(try fixture.refs().keys.allSatisfy { $0.hasSuffix("/compare-and-swap") })
    }

    @Test("a ledger is probed once, not once per machine")
    func probe() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open(machine: "a").claim(day: 0, nonce: "a") == .done)
        let ref = try #require(try fixture.refs().first { $0.key.hasSuffix("/compare-and-swap") })
        #expect(
            try fixture.repository.git("log", "--format=%s", ref.key) == "The host refused a push that came too late\n")
        #expect(try await fixture.open(machine: "b").claim(day: 1, nonce: "b") == .done)
        #expect(try fixture.refs()[ref.key] == ref.value)
    }
}
