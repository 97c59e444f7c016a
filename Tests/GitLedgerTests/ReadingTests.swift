import FlowRuns
import Foundation
import GitLedger
import Ledger
import TestSupport
import Testing

/// Reads of several flows share fetches.
@Suite("Reading a Git ledger")
struct ReadingTests {
    @Test("a reader that needs newer data than a slow fetch can have waits for another fetch", .timeLimit(.minutes(1)))
    func slow() async throws {
        let fixture = try GitFixture()
        let other = fixture.open(machine: "b")
        #expect(try await other.claim(day: 0, nonce: "a") == .done)
        let store = fixture.open(variables: try fixture.fetches(takeSeconds: 1.5))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<4 {
                group.addTask {
                    // The last readers start when the first fetch is too old for them, but still running.
                    try await Task.sleep(for: .milliseconds(400 * number))
                    return try await store.snapshot(of: GitFixture.flow).runs.count
                }
            }
            for try await runs in group { #expect(runs == 1) }
        }
    }

    @Test("a command that only reads fetches once")
    func once() async throws {
        let fixture = try GitFixture()
        let other = fixture.open(machine: "b")
        #expect(try await other.claim(day: 0, nonce: "a") == .done)
        let store = fixture.open(mode: .readOnly)
        #expect(try await store.days() == [0])
        #expect(try await other.claim(day: 1, nonce: "b") == .done)
        try await Task.sleep(for: .seconds(5.1))
        #expect(try await store.days() == [0])
        #expect(try await store.flows().map(\.revision.number) == [1])
        #expect(try await fixture.open(mode: .readOnly).days() == [0, 1])
    }

    /// Removes files from the machine's cache.
    private func remove(from fixture: GitFixture, where isGone: (String) throws -> Bool) throws {
        let cache = "\(fixture.repository.home)/a/cache"
        for name in try FileManager.default.subpathsOfDirectory(atPath: cache) where try isGone(name) {
            try FileManager.default.removeItem(atPath: "\(cache)/\(name)")
        }
    }

    /// Returns the IDs of the flow's blobs whose path begins with `path`.
    private func blobs(of fixture: GitFixture, below path: String) throws -> [String] {
        try fixture.repository.git("ls-tree", "-r", try fixture.flowRef()).split(separator: "\n")
            .filter { $0.contains("\t\(path)") }
            .compactMap { ($0.split(separator: " ").last?.prefix(40)).map(String.init) }
    }

    private static func object(_ id: String) -> String { "objects/\(id.prefix(2))/\(id.dropFirst(2))" }

    @Test(
        "an object missing in the cache is fetched again, and not read as a month without runs",
        arguments: ["runs/", "flow.json", "ledger.json"])
    func missing(path: String) async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        let known = try await fixture.open().entries(of: GitFixture.flow)
        let objects = try blobs(of: fixture, below: path).map(Self.object)
        #expect(!objects.isEmpty)
        try remove(from: fixture) { name in objects.contains { name.hasSuffix($0) } || name.hasSuffix(".sqlite") }
        let store = fixture.open()
        #expect(try await store.entries(of: GitFixture.flow) == known)
        #expect(try await store.flows() == [known.record])
        #expect(try await store.damage().isEmpty)
        #expect(fixture.notices.count == 1, "\(fixture.notices)")
    }

    @Test("an object missing in the repository is an error", .timeLimit(.minutes(1)))
    func damaged() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open(machine: "b").claim(day: 0, nonce: "a") == .done)
        let blob = try #require(try blobs(of: fixture, below: "runs/").first)
        try FileManager.default.removeItem(atPath: "\(fixture.repository.path)/\(Self.object(blob))")
        let error = await #expect(throws: LedgerError.self) {
            _ = try await fixture.open().entries(of: GitFixture.flow)
        }
        #expect(error?.description.contains(blob) == true, "\(String(describing: error))")
    }

    @Test(
        "damage to the copy leads to a new copy, which is reported once",
        arguments: ["packed-refs", "config", "HEAD", "objects/pack"], ["zeroed", "cut", "of another format"])
    func damagedCopy(file: String, how: String) async throws {
        let fixture = try GitFixture()
        for day in 0..<3 { #expect(try await fixture.open().claim(day: Int64(day), nonce: "n\(day)") == .done) }
        let folder = "\(fixture.repository.home)/a/cache/sluice/git"
        let copy = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".git") })
        let git = ["--git-dir=\(folder)/\(copy)"]
        try runProgram("git", git + ["gc", "--quiet"], fixture.repository.environment)
        try remove(from: fixture) { $0.hasSuffix(".sqlite") }
        for name in try FileManager.default.subpathsOfDirectory(atPath: "\(folder)/\(copy)") {
            guard file == "objects/pack" ? name.hasSuffix(".pack") : name == file else { continue }
            let path = URL(fileURLWithPath: "\(folder)/\(copy)/\(name)")
            var data = try Data(contentsOf: path)
            switch how {
            case "zeroed": data = Data(count: data.count)
            case "cut": data.removeLast(max(1, data.count / 3))
            default: data = Data("another format\n".utf8)
            }
            try FileManager.default.removeItem(at: path)
            try data.write(to: path)
        }
        let store = fixture.open()
        #expect(try await store.days() == [0, 1, 2])
        #expect(try await store.claim(day: 3, nonce: "n3") == .done)
        #expect(fixture.notices.allSatisfy { $0.contains("is damaged and is fetched again") })
        // Git reads a shortened config or list of refs without an error, and nothing is missing then.
        #expect(fixture.notices.count == 1 || (how == "cut" && file != "objects/pack"), "\(fixture.notices)")
        #expect(try await fixture.open(machine: "b").days() == [0, 1, 2, 3])
        #expect(try await fixture.open().days() == [0, 1, 2, 3])
        #expect(fixture.notices.count <= 1)
    }

    @Test("a copy that has become too large is fetched again without its history")
    func largeCopy() async throws {
        let fixture = try GitFixture()
        for day in 0..<3 { #expect(try await fixture.open().claim(day: Int64(day), nonce: "n\(day)") == .done) }
        let folder = "\(fixture.repository.home)/a/cache/sluice/git"
        let copy = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".git") })
        let packs = "\(folder)/\(copy)/objects/pack"
        try FileManager.default.createDirectory(atPath: packs, withIntermediateDirectories: true)
        let large = "\(packs)/pack-1.pack"
        #expect(FileManager.default.createFile(atPath: large, contents: nil))
        #expect(truncate(large, 1 << 30) == 0)
        #expect(try await fixture.open(machine: "b").claim(day: 3, nonce: "n3") == .done)
        #expect(try await fixture.open().days() == [0, 1, 2, 3])
        #expect(try await fixture.open().claim(day: 4, nonce: "n4") == .done)
        #expect(!FileManager.default.fileExists(atPath: large))
        #expect(FileManager.default.fileExists(atPath: "\(folder)/\(copy)/shallow") == false, "100 commits are all")
        #expect(fixture.notices.isEmpty, "\(fixture.notices)")
    }

    @Test("a cache with missing files is created again")
    func cleaned() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        try remove(from: fixture) { $0.hasSuffix("/HEAD") || $0.hasSuffix("/config") }
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).runs.count == 1)
    }
}
