import Foundation
import Testing

@Suite("Benchmarks")
struct BenchmarkTests {
    @Test("all benchmarks run with one command")
    func benchmarks() async throws {
        let user = try Program()
        let program = Program.binary.deletingLastPathComponent().appending(path: "Benchmarks")
        let result = try await RunningProgram(
            program, ["--count", "1000"], in: user.folder, environment: ["TMPDIR": user.folder.path], input: nil
        ).end()
        #expect(result.status == 0, "\(result.errors)")
        for name in ["YAML nodes", "manifest", "series", "sluice version", "sluice plan", "apply", "refresh"] {
            #expect(result.output.contains("\n\(name)"))
        }
        for name in ["windows, all new", "windows, all recorded", "series, all new", "series, all recorded"] {
            #expect(result.output.contains("\nplan, \(name)"))
        }
        for name in ["runs, SQLite", "runs, PostgreSQL", "runs, Git", "export", "import", "commits"] {
            #expect(result.output.contains("\nledger, \(name)"))
        }
        let copies = ["50", "100", "200"].map { "copy of \($0) flows, Git" }
        for name in copies + ["copy, PostgreSQL", "plan, Git", "plan, Git, new machine", "apply, Git, new machine"] {
            #expect(result.output.contains("\nyears, \(name)"))
        }
        #expect(!result.output.contains("not on this machine"))
        user.remove()
    }
}
