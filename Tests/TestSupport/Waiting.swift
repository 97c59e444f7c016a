/// Waits until a condition holds, and fails after two minutes: a test that waits forever stops all tests.
///
/// - Parameter goal: What is waited for, for the message of the failure, such as "the server has four runs".
package func wait(
    for goal: String, isolation: isolated (any Actor)? = #isolation, until isReached: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + .seconds(120)
    while try await !isReached() {
        guard .now < end else { throw ProgramFailure(description: "timed out while waiting for \(goal)") }
        try await Task.sleep(for: .milliseconds(10))
    }
}
