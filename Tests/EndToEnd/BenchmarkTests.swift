import Foundation
import Testing

@Suite("Benchmarks")
struct BenchmarkTests {
    @Test("run with one command, each beside its floor")
    func benchmarks() async throws {
        let user = try Program()
        let program = Program.binary.deletingLastPathComponent().appending(path: "Benchmarks")
        let result = try await RunningProgram(
            program, ["--count", "1000"], in: user.folder, environment: ["TMPDIR": user.folder.path], input: nil
        ).end()
        #expect(result.status == 0, "\(result.errors)")
        for name in ["YAML nodes", "manifest", "plan, windows, all new", "plan, series", "plan, windows, all recorded"]
        {
            #expect(result.output.contains("\n\(name)"))
        }
        for name in ["runs", "export", "import", "commits"] { #expect(result.output.contains("\nledger, \(name)")) }
        #expect(result.output.contains("\nsluice version"))
        user.remove()
    }
}
