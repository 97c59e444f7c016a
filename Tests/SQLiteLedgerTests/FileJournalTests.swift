import FlowRuns
import Foundation
import Ledger
import Testing

@testable import SQLiteLedger

@Suite("The journal of claims")
struct FileJournalTests {
    private let folder: LedgerFolder
    private let flow = LedgerFolder.flow

    init() throws { folder = try LedgerFolder() }

    /// Opens a journal whose files are replaced after a few hundred claims.
    private func journal(_ target: String = "https://service 1234@AdobeOrg prod") -> FileJournal {
        var journal = FileJournal(stateFolder: folder.url.path, target: target)
        journal.maxFileSize = 8_192
        return journal
    }

    private func claim(_ id: String, at milliseconds: Int64? = 1000) -> JournalClaim {
        JournalClaim(id: ClaimID(id)!, time: milliseconds.map(Timestamp.init(milliseconds:)))
    }

    /// The URL of the flow's journal; the file exists after the first claim.
    private func file() throws -> URL {
        let root = folder.url.appendingPathComponent("sluice/journal")
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: root.path).first)
        return root.appendingPathComponent("\(name)/\(flow)")
    }

    @Test("a new machine has no journal until one is created or a claim is added")
    func exists() throws {
        #expect(!journal().exists())
        #expect(try journal().claims(of: flow).isEmpty)
        #expect(!journal().exists())
        try journal().create()
        #expect(journal().exists())
        #expect(!journal("another target").exists())
        try journal("another target").add(claim("a"), of: flow)
        #expect(journal("another target").exists())
    }

    @Test("claims are kept in order and by flow until they are withdrawn")
    func kept() throws {
        #expect(try journal().add(claim("a"), of: flow) == [])
        #expect(try journal().add(claim("b", at: nil), of: flow) == [claim("a")])
        #expect(try journal().claims(of: flow) == [claim("a"), claim("b", at: nil)])
        try journal().remove([ClaimID("a")!], of: flow)
        #expect(try journal().claims(of: flow) == [claim("b", at: nil)])
        let other = FlowID("00000000-0000-4000-8000-000000000001")!
        #expect(try journal().claims(of: other).isEmpty)
    }

    @Test("a line that was cut off by a kill does not affect other lines")
    func cutOff() throws {
        try journal().add(claim("a"), of: flow)
        let handle = try FileHandle(forWritingTo: file())
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("b 17000".utf8.dropLast(5)))
        try handle.close()
        try journal().add(claim("c"), of: flow)
        #expect(try journal().claims(of: flow) == [claim("a"), claim("c")])
    }

    @Test("a journal locked by another process is waited for, with a time limit")
    func held() throws {
        try journal().add(claim("a"), of: flow)
        let holder = try open(file().path, O_RDONLY | O_CLOEXEC)
        #expect(flock(holder, LOCK_EX) == 0)
        var impatient = journal()
        impatient.busyTimeout = 0.1
        let error = #expect(throws: LedgerError.self) { try impatient.add(claim("b"), of: flow) }
        #expect(error?.description.contains("another process holds the journal of claims") == true)
        // On a thread of its own: the journal waits without suspending, and all threads of the tasks can be taken.
        Thread.detachNewThread {
            usleep(20_000)
            close(holder)
        }
        #expect(try journal().add(claim("b"), of: flow) == [claim("a")])
        #expect(try journal().claims(of: flow) == [claim("a"), claim("b")])
    }

    @Test("a long journal is truncated to its last claims")
    func bounded() throws {
        for number in 0..<1200 { try journal().add(claim("claim\(number)", at: Int64(number)), of: flow) }
        let kept = try journal().claims(of: flow)
        #expect(kept.last == claim("claim1199", at: 1199))
        #expect(kept.count >= 200 && kept.count < 1200)
    }

    @Test("truncating the journal loses no concurrently added claims")
    func boundedAmongRivals() async throws {
        // A few more lines exceed the limit.
        for number in 0..<530 { try journal().add(claim("claim\(number)"), of: flow) }
        let (journal, flow) = (journal(), flow)
        let added = try await withThrowingTaskGroup(of: [ClaimID].self) { group in
            for rival in 0..<4 {
                group.addTask {
                    let ids = (0..<40).map { ClaimID("r\(rival)-\($0)")! }
                    for id in ids { try journal.add(JournalClaim(id: id, time: nil), of: flow) }
                    return ids
                }
            }
            return try await group.reduce([], +)
        }
        let kept = try journal.claims(of: flow).map(\.id)
        #expect(kept.count < 530)
        #expect(Set(added).subtracting(kept).isEmpty)
    }

    @Test("each of two processes reads the other's new claims, even after the file was replaced")
    func rivals() throws {
        let (one, other) = (journal(), journal())
        var expected: [JournalClaim] = []
        for number in 0..<800 {
            let added = claim("claim\(number)")
            let earlier = try (number % 7 < 3 ? one : other).add(added, of: flow)
            if earlier.count < expected.count { expected = Array(expected.suffix(earlier.count)) }
            #expect(earlier == expected)
            expected.append(added)
            guard number % 11 == 0 else { continue }
            try (number % 2 == 0 ? one : other).remove([added.id], of: flow)
            expected.removeLast()
        }
        #expect(expected.count < 700)
        #expect(try one.claims(of: flow) == expected)
    }

    @Test("a long target name is shortened to a valid folder name")
    func longName() throws {
        let long = "https://" + String(repeating: "very-", count: 60) + "long 1234@AdobeOrg"
        try journal(long + " prod").add(claim("a"), of: flow)
        #expect(try journal(long + " stage").claims(of: flow).isEmpty)
        #expect(try journal(long + " prod").claims(of: flow) == [claim("a")])
    }
}
