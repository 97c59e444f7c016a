import FlowRuns
import Foundation
import GitLedger
import Ledger
import Testing

/// Several flows read through one fetch.
@Suite("Reading a ledger in Git")
struct ReadingTests {
    @Test("whoever asks for something newer than a slow fetch brings waits for another one", .timeLimit(.minutes(1)))
    func slow() async throws {
        let fixture = try GitFixture()
        let other = fixture.open(machine: "b")
        #expect(try await other.claim(day: 0, nonce: "a") == .done)
        let store = fixture.open(variables: try fixture.fetches(takeSeconds: 1.5))
        try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<4 {
                group.addTask {
                    // The last ones ask when the first fetch is older than a read may be, and has not ended.
                    try await Task.sleep(for: .milliseconds(400 * number))
                    return try await store.snapshot(of: GitFixture.flow).runs.count
                }
            }
            for try await runs in group { #expect(runs == 1) }
        }
    }

    /// Removes files of the machine's copy.
    private func remove(from fixture: GitFixture, where isGone: (String) throws -> Bool) throws {
        let cache = "\(fixture.repository.home)/a/cache"
        for name in try FileManager.default.subpathsOfDirectory(atPath: cache) where try isGone(name) {
            try FileManager.default.removeItem(atPath: "\(cache)/\(name)")
        }
    }

    /// The contents of the flow's files whose path begins so.
    private func blobs(of fixture: GitFixture, below path: String) throws -> [String] {
        try fixture.repository.git("ls-tree", "-r", try fixture.flowRef()).split(separator: "\n")
            .filter { $0.contains("\t\(path)") }
            .compactMap { ($0.split(separator: " ").last?.prefix(40)).map(String.init) }
    }

    private static func object(_ id: String) -> String { "objects/\(id.prefix(2))/\(id.dropFirst(2))" }

    @Test(
        "an object that is missing in the copy is read again, and never taken for a month without runs",
        arguments: ["runs/", "flow.json", "ledger.json"])
    func missing(path: String) async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        let known = try await fixture.open().entries(of: GitFixture.flow)
        let objects = try blobs(of: fixture, below: path).map(Self.object)
        #expect(!objects.isEmpty)
        try remove(from: fixture) { name in objects.contains { name.hasSuffix($0) } }
        let store = fixture.open()
        #expect(try await store.entries(of: GitFixture.flow) == known)
        #expect(try await store.flows() == [known.record])
        #expect(try await store.damage().isEmpty)
    }

    @Test("what is missing in the repository itself is told", .timeLimit(.minutes(1)))
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

    @Test("a copy of which files were cleaned away is made again")
    func cleaned() async throws {
        let fixture = try GitFixture()
        #expect(try await fixture.open().claim(day: 0, nonce: "a") == .done)
        try remove(from: fixture) { $0.hasSuffix("/HEAD") || $0.hasSuffix("/config") }
        #expect(try await fixture.open().snapshot(of: GitFixture.flow).runs.count == 1)
    }
}
