import FlowRuns
import Foundation
import GRDB
import Ledger
import Testing

@testable import SQLiteLedger

@Suite("The ledger file")
struct LedgerFileTests {
    @Test("a missing file and its folders are created for writing")
    func created() async throws {
        let folder = try LedgerFolder()
        let path = folder.url.appendingPathComponent("a/b/ledger.sqlite").path
        let ledger = try SQLiteLedger.open(path: path, targets: ["t"], mode: .readWrite)
        #expect(try await ledger.add(1))
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("a missing file reads as an empty ledger, and is not created")
    func missing() async throws {
        let folder = try LedgerFolder()
        let path = folder.url.appendingPathComponent("a/ledger.sqlite").path
        let ledger = try SQLiteLedger.open(path: path, targets: ["t"], mode: .readOnly)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).runs.isEmpty)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).record.revision.number == 0)
        #expect(try await ledger.flows().isEmpty)
        await #expect(throws: LedgerError.self) { _ = try await ledger.add(1) }
        #expect(try folder.names.isEmpty)
    }

    @Test("an empty file is an empty ledger, and reading does not change it")
    func emptyFile() async throws {
        let folder = try LedgerFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path))
        #expect(try await folder.open(.readOnly).flows().isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path)).isEmpty)
        #expect(try await folder.open().add(1))
    }

    @Test(
        "a file whose creation was interrupted by a kill is an empty ledger",
        arguments: [SQLiteLedger.Mode.readWrite, .readOnly])
    func halfMade(mode: SQLiteLedger.Mode) async throws {
        let (folder, maker) = (try LedgerFolder(), try LedgerFolder())
        let database = try DatabaseQueue(path: maker.path)
        try await database.writeWithoutTransaction { connection in
            // A tiny cache makes SQLite write to the file before the commit.
            try connection.execute(sql: "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; CREATE TABLE t (a)")
            for _ in 0..<50 { try connection.execute(sql: "INSERT INTO t VALUES (randomblob(3000))") }
            for file in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: maker.path + file, toPath: folder.path + file)
            }
            try connection.execute(sql: "ROLLBACK")
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path)).count > 4096)
        #expect(try await folder.open(mode).flows().isEmpty)
        #expect(try await folder.open().add(1))
    }

    @Test("a ledger opened for reading cannot be written")
    func readOnly() async throws {
        let folder = try LedgerFolder()
        try await folder.fill()
        let ledger = try folder.open(.readOnly)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).runs.count == 3)
        let error = await #expect(throws: LedgerError.self) { _ = try await ledger.add(9) }
        #expect(error?.description.contains("opened for reading only") == true)
    }

    @Test("a reader sees the latest commits of a writer")
    func readerBesideWriter() async throws {
        let folder = try LedgerFolder()
        let writer = try folder.open()
        let reader = try folder.open(.readOnly)
        #expect(try await reader.flows().isEmpty)
        _ = try await writer.add(1)
        #expect(try await folder.open(.readOnly).snapshot(of: LedgerFolder.flow).runs.count == 1)
    }

    @Test("one file contains several targets independently")
    func targets() async throws {
        let folder = try LedgerFolder()
        let (one, other) = (try folder.open(target: "one"), try folder.open(target: "other"))
        #expect(try await one.add(1))
        #expect(try await other.snapshot(of: LedgerFolder.flow).runs.isEmpty)
        #expect(try await other.add(1))
        #expect(try await folder.open(.readOnly, target: "third").flows().isEmpty)
    }

    @Test("a target keeps its rows when its identity is spelled differently")
    func renamedTarget() async throws {
        let folder = try LedgerFolder()
        #expect(try await folder.open(target: "as it was written").add(1))
        let ledger = try SQLiteLedger.open(
            path: folder.path, targets: ["normal form", "as it was written"], mode: .readWrite)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).runs.count == 1)
    }

    @Test("after a file is moved, removed or replaced, claims fail, but outcomes are still recorded")
    func replaced() async throws {
        let folder = try LedgerFolder()
        let store = try folder.open()
        #expect(try await store.add(1))
        var ledger = FlowLedger(try await store.snapshot(of: LedgerFolder.flow))
        let claim = LedgerFolder.claim(2)
        try ledger.claim(claim)
        let claimed = ledger.commit(nonce: "claimed")
        #expect(try await store.commit(claimed) == .done)
        ledger.committed(claimed)

        try FileManager.default.moveItem(atPath: folder.path, toPath: folder.path + ".moved")
        try ledger.record(.rejected(reason: "no", response: nil), of: claim, at: Timestamp(milliseconds: 1))
        let recorded = ledger.commit(nonce: "recorded")
        #expect(try await store.commit(recorded) == .done)
        ledger.committed(recorded)
        try ledger.claim(LedgerFolder.claim(3))
        await #expect(throws: LedgerError.replaced(folder.path)) { try await store.commit(ledger.commit(nonce: "n")) }

        let other = try folder.open()
        #expect(try await other.add(1))
        await #expect(throws: LedgerError.replaced(folder.path)) { try await store.commit(ledger.commit(nonce: "n")) }
    }

    @Test(
        "a newer ledger is rejected and not modified",
        arguments: [SQLiteLedger.Mode.readWrite, .readOnly])
    func newer(mode: SQLiteLedger.Mode) async throws {
        let folder = try LedgerFolder()
        try await folder.fill()
        try folder.execute("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99")
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.path))
        #expect(throws: LedgerError.newer(found: 99, supported: LedgerSchema.version)) {
            try folder.open(mode)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.path)) == before)
        #expect(try folder.names == ["ledger.sqlite"])
    }

    @Test(
        "another program's database is rejected", arguments: [SQLiteLedger.Mode.readWrite, .readOnly])
    func foreign(mode: SQLiteLedger.Mode) throws {
        let folder = try LedgerFolder()
        try folder.execute("CREATE TABLE customer (name TEXT)")
        let error = #expect(throws: LedgerError.self) { try folder.open(mode) }
        #expect(
            error
                == .unusable(
                    "\(folder.path) is an SQLite database of something else: choose another path for 'ledger'"))
    }

    @Test("random bytes are not a ledger", arguments: [SQLiteLedger.Mode.readWrite, .readOnly])
    func randomBytes(mode: SQLiteLedger.Mode) throws {
        let folder = try LedgerFolder()
        try Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 * 151 + 7) }).write(
            to: URL(fileURLWithPath: folder.path))
        let error = #expect(throws: LedgerError.self) { try folder.open(mode) }
        #expect(error == .corrupt("\(folder.path) is not an SQLite database"))
    }

    @Test("a damaged file is never accepted as intact", arguments: 0..<40)
    func damage(seed: Int) async throws {
        let folder = try LedgerFolder()
        try await folder.fill(60)
        let url = URL(fileURLWithPath: folder.path)
        var bytes = try Data(contentsOf: url)
        if seed.isMultiple(of: 4) {
            bytes = bytes.prefix(bytes.count * (seed + 1) / 42)
        } else {
            for step in 0..<(seed * 40) { bytes[(seed * 7919 + step * 104_729) % bytes.count] ^= 0x5A }
        }
        try bytes.write(to: url)
        // The result is either all rows or an error about the damage, never a crash.
        do {
            let ledger = try folder.open()
            let damage = try await ledger.damage()
            let entries = try await ledger.entries(of: LedgerFolder.flow).entries
            #expect(!damage.isEmpty || entries.count == 60)
            _ = try await ledger.add(1000)
        } catch let error as LedgerError {
            switch error {
            case .corrupt, .unusable, .newer: break
            default: Issue.record("\(error)")
            }
        }
    }

    @Test("a corrupt header and a truncated file are reported as damage")
    func flippedHeader() async throws {
        let folder = try LedgerFolder()
        try await folder.fill(60)
        let url = URL(fileURLWithPath: folder.path)
        let sound = try Data(contentsOf: url)
        var flipped = sound
        flipped[0] ^= 0xFF
        try flipped.write(to: url)
        #expect(throws: LedgerError.corrupt("\(folder.path) is not an SQLite database")) { try folder.open() }
        try sound.prefix(sound.count / 2).write(to: url)
        let error = await #expect(throws: LedgerError.self) {
            let ledger = try folder.open()
            _ = try await ledger.entries(of: LedgerFolder.flow).entries
            _ = try await ledger.add(1000)
        }
        #expect(error == .corrupt("\(folder.path) is no longer a well-formed database"))
    }

    @Test(
        "a folder instead of the file, and a file instead of the folder, are errors",
        arguments: [SQLiteLedger.Mode.readWrite, .readOnly])
    func wrongKind(mode: SQLiteLedger.Mode) async throws {
        let folder = try LedgerFolder()
        var error = #expect(throws: LedgerError.self) {
            try SQLiteLedger.open(path: folder.url.path, targets: ["t"], mode: mode)
        }
        #expect(error == .unusable("\(folder.url.path) is a folder, not a file"))
        try await folder.fill()
        error = #expect(throws: LedgerError.self) {
            try SQLiteLedger.open(path: folder.path + "/ledger.sqlite", targets: ["t"], mode: mode)
        }
        #expect(error?.description.hasPrefix("cannot use the ledger: ") == true)
    }

    @Test("on a full disk, claims fail and no data is lost")
    func fullDisk() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.openDatabase()
        try await ledger.database.write { connection in
            let pages = try Int.fetchOne(connection, sql: "PRAGMA page_count") ?? 0
            try connection.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        var claimed: Int64 = 0
        let error = await #expect(throws: LedgerError.self) {
            for number in 0..<1000 as Range<Int64> {
                _ = try await ledger.add(number, request: String(repeating: "x", count: 500))
                claimed = number + 1
            }
        }
        #expect(error == .unusable("\(folder.path): the disk is full"))
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).runs.count == claimed)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).record.revision.number == claimed)
        #expect(try await ledger.verify().isEmpty)
    }

    @Test("a file without write permission is an error when it is opened", .enabled(if: geteuid() != 0))
    func noPermission() async throws {
        let folder = try LedgerFolder()
        try await folder.fill()
        let manager = FileManager.default
        try manager.setAttributes([.posixPermissions: 0o444], ofItemAtPath: folder.path)
        try manager.setAttributes([.posixPermissions: 0o555], ofItemAtPath: folder.url.path)
        defer { try? manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.url.path) }
        let error = #expect(throws: LedgerError.self) { try folder.open() }
        #expect(error == .unusable("\(folder.path) can be read, but not written"))
        #expect(try await folder.open(.readOnly).snapshot(of: LedgerFolder.flow).runs.count == 3)
        #expect(try folder.names == ["ledger.sqlite"])
    }

    @Test("several processes can create the same ledger concurrently")
    func createdByMany() async throws {
        let folder = try LedgerFolder()
        let wins = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask { try await folder.open().add(1) ? 1 : 0 }
            }
            return try await group.reduce(0, +)
        }
        #expect(wins == 1)
    }

    @Test("a cancelled task still records its requests")
    func cancelled() async throws {
        let folder = try LedgerFolder()
        let ledger = try folder.open()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await ledger.add(1)
        }
        #expect(try await task.value)
        #expect(try await ledger.snapshot(of: LedgerFolder.flow).runs.count == 1)
    }
}
