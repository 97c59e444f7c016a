import Foundation
import Testing

@testable import GitLedger

@Suite("Child processes")
struct ChildProcessTests {
    private func run(
        _ script: String, input: [UInt8] = [], timeLimit: Duration = .seconds(60)
    ) async throws -> ChildProcess.Result {
        try await ChildProcess(
            program: "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"], input: input,
            timeLimit: timeLimit
        ).run()
    }

    @Test("a result contains the exit status, the output and the errors")
    func ends() async throws {
        let result = try await run("cat; echo no >&2; exit 3", input: Array("yes".utf8))
        #expect(result.end == .exited(3))
        #expect(String(decoding: result.output, as: UTF8.self) == "yes")
        #expect(result.errors == "no\n")
        #expect(try await run("kill -9 $$").end == .killed(signal: SIGKILL))
    }

    @Test("a process is killed with all its children when its time is over")
    func timeLimit() async throws {
        let result = try await run("sleep 600 & echo $!; sleep 600", timeLimit: .seconds(2))
        #expect(result.end == .timedOut)
        let child = try #require(pid_t(String(decoding: result.output, as: UTF8.self).dropLast()))
        for _ in 0..<400 where isRunning(child) { try await Task.sleep(for: .milliseconds(20)) }
        #expect(!isRunning(child))
    }

    /// Returns whether a process is running. A killed process remains as a zombie until its parent has waited for it.
    private func isRunning(_ process: pid_t) -> Bool {
        guard kill(process, 0) == 0 else { return false }
        let state = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        return state?.contains(") Z ") != true
    }

    @Test("a process that leaves a child behind does not delay its result")
    func helper() async throws {
        let result = try await run("sleep 600 & echo $!")
        #expect(result.isSuccess)
        kill(try #require(pid_t(String(decoding: result.output, as: UTF8.self).dropLast())), SIGKILL)
    }

    @Test("a process may exit before reading its input")
    func unreadInput() async throws {
        let input = [UInt8](repeating: 65, count: 4_000_000)
        #expect(try await run("exec <&-; exit 0", input: input).isSuccess)
        #expect(try await run("cat", input: input).output == input)
    }

    @Test("a process in a cancelled task runs to its end")
    func cancelled() async throws {
        let task = Task { try await run("sleep 0.2; echo done") }
        task.cancel()
        #expect(try await task.value.output == Array("done\n".utf8))
    }
}
