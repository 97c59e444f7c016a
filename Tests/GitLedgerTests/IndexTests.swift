import FlowRuns
import Foundation
import GRDB
import GitLedger
import Ledger
import TestSupport
import Testing

/// The local index is a cache: reads give the same rows with an index, without one, and with a damaged one.
@Suite("The local index of a Git ledger")
struct IndexTests {
    private static let other = FlowID("00000000-0000-4000-8000-000000000002")!

    /// Returns the path of the machine's index.
    private func index(of fixture: GitFixture, machine: String = "a") throws -> String {
        let folder = "\(fixture.repository.home)/\(machine)/cache/sluice/git"
        let name = try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".sqlite") }
        return "\(folder)/\(try #require(name))"
    }

    private func execute(_ sql: String, _ path: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    private func accepted(day: Int64, run: String, in ledger: inout FlowLedger) throws {
        try ledger.claim(day: day, flow: ledger.id)
        let open = try #require(ledger.openRequests.last)
        let claim = Claim(
            identity: open.identity, deltaColumn: nil, request: "POST /runs {}", claim: try #require(open.claim),
            claimedAt: GitFixture.now, provenance: Provenance())
        try ledger.record(.accepted(RunID(run)!, response: nil), of: claim, at: GitFixture.now)
    }

    @Test("an index that follows its own commits, one that follows fetched commits and a new one have the same rows")
    func incremental() async throws {
        let fixture = try GitFixture()
        let (writer, reader) = (fixture.open(), fixture.open(machine: "b"))
        for step in 0..<7 {
            for flow in [GitFixture.flow, Self.other] {
                var ledger = FlowLedger(try await writer.snapshot(of: flow))
                switch step {
                case 0, 1, 3:
                    for day in [0, 40, 80] {
                        try accepted(day: Int64(day + step), run: "\(flow)-\(day + step)", in: &ledger)
                    }
                case 2, 4, 5:
                    // A run of an unknown window, which a later listing places into a month, and the next one repeats.
                    let window = step == 2 ? nil : Window(startSeconds: 1_714_521_600, endSeconds: 1_714_525_200)
                    let run = ObservedRun(
                        id: RunID("\(flow)-found")!, window: window, createdAt: GitFixture.now, status: "inProgress",
                        end: nil)
                    _ = try ledger.observe(
                        RunListing(runs: [run], date: nil, isComplete: true),
                        settling: ClaimSettlementPolicy(settle: .seconds(120), seenFor: .seconds(200)),
                        at: GitFixture.now)
                default: try ledger.claim(day: 200, flow: flow)
                }
                #expect(try await writer.commit(ledger.commit(nonce: "n\(step)")) == .done)
            }
            if step % 2 == 1 { try await Task.sleep(for: .seconds(1.1)) }
            let new = fixture.open(machine: "new-\(step)")
            for flow in [GitFixture.flow, Self.other] {
                let rows = try await new.entries(of: flow)
                #expect(try await writer.entries(of: flow) == rows)
                #expect(try await new.snapshot(of: flow).runs == rows.entries.map(\.run))
                if step % 2 == 1 { #expect(try await reader.entries(of: flow) == rows) }
            }
            #expect(try await new.verify().isEmpty)
        }
    }

    @Test(
        "a damaged index is built again and reported once, and a deleted or outdated one is built without a report",
        arguments: ["cut", "zeroed", "overwritten", "deleted", "outdated", "a folder"])
    func damaged(how: String) async throws {
        let fixture = try GitFixture()
        let rows = 40
        let record = FlowRecord(id: GitFixture.flow, revision: Revision(number: 1, token: "a"))
        let entries = (0..<rows).map { number in
            LedgerEntry(
                run: RecordedRun(
                    identity: RunIdentity(
                        flow: GitFixture.flow,
                        window: Window(startSeconds: Int64(number) * 86_400, endSeconds: Int64(number + 1) * 86_400)),
                    state: .rejected, recordedAt: GitFixture.now),
                request: String(repeating: "x", count: 2_000), updatedAt: GitFixture.now)
        }
        let first = fixture.open()
        #expect(
            try await first.commit(
                FlowCommit(expecting: Revision(), record: record, changes: entries.map(LedgerChange.insert))) == .done)
        #expect(try await first.entries(of: GitFixture.flow).entries == entries)
        let path = try index(of: fixture)
        // Move everything from the log into the file.
        try execute("PRAGMA wal_checkpoint(TRUNCATE)", path)
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: path)
        for end in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + end) }
        switch how {
        case "cut": data.removeLast(data.count / 2)
        case "zeroed": data.resetBytes(in: 4_096..<data.count)
        case "overwritten": data = Data(repeating: 0x41, count: data.count)
        case "outdated": data.replaceSubrange(60..<64, with: [1, 2, 3, 4])
        default: break
        }
        if how == "a folder" {
            try FileManager.default.createDirectory(atPath: path + "/x", withIntermediateDirectories: true)
        } else if how != "deleted" {
            try data.write(to: URL(fileURLWithPath: path))
        }
        let store = fixture.open()
        #expect(try await store.snapshot(of: GitFixture.flow).runs == entries.map(\.run))
        #expect(try await store.flows() == [record])
        #expect(try await store.entries(of: GitFixture.flow).entries == entries)
        #expect(try await store.claim(day: 0, nonce: "b") == .done)
        #expect(fixture.notices.count == (["deleted", "outdated"].contains(how) ? 0 : 1), "\(fixture.notices)")
        #expect(try await fixture.open().entries(of: GitFixture.flow).entries.count == rows + 1)
    }

    @Test("other users cannot read the requests in the index")
    func permissions() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        let path = try index(of: fixture)
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.contains(".sqlite") {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test("an index that lacks a row is noticed and built again")
    func missingRow() async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        for day: Int64 in [0, 1, 40] { #expect(try await store.claim(day: day, nonce: "n\(day)") == .done) }
        try execute("DELETE FROM run WHERE window_start = (SELECT min(window_start) FROM run)", try index(of: fixture))
        #expect(try await fixture.open().days() == [0, 1, 40])
        #expect(fixture.notices.count == 1, "\(fixture.notices)")
    }

    @Test("a claim of a window that the index has wrongly is refused by the files of the commit")
    func wrong() async throws {
        let fixture = try GitFixture()
        let store = fixture.open()
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        let revision = try await store.snapshot(of: GitFixture.flow).record.revision
        try execute("DELETE FROM run; UPDATE flow SET row_count = 0", try index(of: fixture))
        let again = fixture.open()
        let snapshot = try await again.snapshot(of: GitFixture.flow)
        #expect(snapshot.runs.isEmpty && snapshot.record.revision == revision, "the index is wrong")
        await #expect(throws: LedgerError.self) { try await again.claim(day: 0, nonce: "b") }
        #expect(try await fixture.open(machine: "b").days() == [0])
        #expect(try await fixture.open().days() == [0], "the rows are read again")
    }

    @Test(
        "a flow that is not a valid ledger fails alone",
        arguments: [
            ("M 100644 inline runs/2024-05.jsonl\ndata 3\n{}\n", "runs/2024-05.jsonl, line 1"),
            ("M 100644 inline runs/2024-5.jsonl\ndata 0\n", "runs/2024-5.jsonl: it is not the file of a month"),
            ("D ledger.json\n", "it has no ledger.json"), ("D flow.json\n", "it has no flow.json"),
        ])
    func invalidFlow(change: String, message: String) async throws {
        let fixture = try GitFixture()
        let store = fixture.open(machine: "b")
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        #expect(try await store.claim(day: 0, nonce: "b", flow: Self.other) == .done)
        let ref = try fixture.flowRef(Self.other)
        try commit(change, to: ref, of: fixture)
        let reader = fixture.open()
        #expect(try await reader.days() == [0])
        await #expect {
            try await reader.snapshot(of: Self.other)
        } throws: { "\($0)".contains(message) }
        #expect(try await reader.damage().count == 1)
        #expect(try await reader.flows().map(\.id) == [GitFixture.flow, Self.other])
    }

    /// Commits a change, in the form of `git fast-import`, on top of a ref.
    private func commit(_ change: String, to ref: String, of fixture: GitFixture) throws {
        let script = """
            commit \(ref)
            committer x <x@x> 1 +0000
            data 1
            x
            from \(ref)^0
            \(change)
            done

            """
        let file = fixture.repository.home + "/script"
        try Data(script.utf8).write(to: URL(fileURLWithPath: file))
        try runProgram(
            "sh", ["-c", "git --git-dir='\(fixture.repository.path)' fast-import --quiet --done < '\(file)'"],
            fixture.repository.environment)
    }

    @Test("a line in another form is read, and is reported by a verification and by a commit that changes its file")
    func otherForm() async throws {
        let fixture = try GitFixture()
        let store = fixture.open(machine: "b")
        #expect(try await store.claim(day: 0, nonce: "a") == .done)
        let ref = try fixture.flowRef()
        let line = try fixture.repository.git("show", "\(ref):runs/2024-05.jsonl")
            .replacingOccurrences(of: "crm.yaml", with: #"crm\u002eyaml"#)
        try commit(
            "M 100644 inline runs/2024-05.jsonl\ndata \(line.utf8.count)\n\(line)", to: ref, of: fixture)
        let reader = fixture.open()
        #expect(try await reader.days() == [0])
        #expect(try await reader.entries(of: GitFixture.flow).entries.first?.provenance.file == "crm.yaml")
        await #expect {
            try await reader.claim(day: 1, nonce: "b")
        } throws: { "\($0)".contains("not in canonical form") }
        #expect(try await reader.damage().first?.contains("not in canonical form") == true)
    }

    @Test("a process that has fetched older commits reads its own commits", .timeLimit(.minutes(1)))
    func concurrent() async throws {
        let fixture = try GitFixture()
        let (first, second) = (fixture.open(), fixture.open())
        #expect(try await first.claim(day: 0, nonce: "a") == .done)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in [first, second] {
                group.addTask {
                    for _ in 0..<20 {
                        let days = try await store.days()
                        #expect(days.contains(0))
                    }
                }
            }
            group.addTask {
                for day in 1..<5 {
                    try await wait(for: "the claim of day \(day)") {
                        try await fixture.open().claim(day: Int64(day), nonce: "n\(day)") == .done
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
