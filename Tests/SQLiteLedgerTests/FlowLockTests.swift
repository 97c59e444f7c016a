import FlowRuns
import Foundation
import Ledger
import Testing

@testable import SQLiteLedger

@Suite("Lock files")
struct FlowLockTests {
    static let tool = "/usr/bin/flock"

    @Test(
        "a killed process leaves its flow free",
        .enabled(if: FileManager.default.isExecutableFile(atPath: tool)))
    func killed() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let own = try #require(try await ledger.lock(LedgerFolder.flow))
        await own.release()
        let locks = folder.path + ".locks"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: locks).first)

        let holder = Process()
        holder.executableURL = URL(fileURLWithPath: Self.tool)
        // Without a child of its own that would inherit the lock.
        holder.arguments = ["--no-fork", "\(locks)/\(name)", "sleep", "60"]
        try holder.run()
        defer { if holder.isRunning { kill(holder.processIdentifier, SIGKILL) } }
        try await Self.wait { try await ledger.isLocked }
        kill(holder.processIdentifier, SIGKILL)
        holder.waitUntilExit()
        #expect(try await ledger.lock(LedgerFolder.flow) != nil)
    }

    @Test("a ledger reached through a link has the same locks")
    func link() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let link = folder.url.appendingPathComponent("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path)
        let linked = try SQLiteLedger.open(path: link, target: "target", mode: .readWrite)
        let lock = try await ledger.lock(LedgerFolder.flow)
        #expect(try await linked.isLocked)
        await lock?.release()
        #expect(try await !linked.isLocked)
    }

    @Test("a lock that is let go of is free, and its file stays")
    func letGo() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        do { _ = try await ledger.lock(LedgerFolder.flow) }
        #expect(try await !ledger.isLocked)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path + ".locks").count {
                !$0.hasSuffix(".claimed")
            } == 1)
    }

    @Test("a lock folder that cannot be made is told")
    func noFolder() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        try Data().write(to: URL(fileURLWithPath: folder.path + ".locks"))
        await #expect(throws: LedgerError.unusable("the folder \(folder.path).locks cannot be created")) {
            try await ledger.lock(LedgerFolder.flow)
        }
    }

    private static func wait(until condition: () async throws -> Bool) async throws {
        for _ in 0..<500 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record("it never came about")
    }
}

extension SQLiteLedger {
    fileprivate var isLocked: Bool {
        get async throws {
            guard let lock = try await lock(LedgerFolder.flow) else { return true }
            await lock.release()
            return false
        }
    }
}
