import FlowRuns
import Foundation
import GitLedger
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
}
