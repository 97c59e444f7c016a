import ArgumentParser
import Foundation

/// Measures what users wait for, each beside its floor: the least work that would do, measured in the same run.
///
/// ```sh
/// swift run -c release Benchmarks
/// ```
@main
struct Benchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure what users wait for, each beside its floor.",
        discussion: "A floor is the least work that would do; it is measured in the same run.")

    @Option(help: "How many windows, and recorded runs.") var count = 1_000_000
    @Argument(help: "Which to measure, by the beginning of their names; all where none is named.") var names: [String] =
        []

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "benchmarks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let samples = try await Samples(count, in: folder)
        Self.tell("", "took", "floor", "ratio", "the floor")
        for benchmark in try Benchmark.all(samples) {
            guard names.isEmpty || names.contains(where: benchmark.name.hasPrefix) else { continue }
            let floor = try await benchmark.floor.best()
            let took = try await benchmark.body.best()
            Self.tell(
                benchmark.name, Self.milliseconds(took), Self.milliseconds(floor), String(format: "%.2f", took / floor),
                benchmark.floorName)
        }
    }

    private static func milliseconds(_ duration: Duration) -> String {
        String(format: "%.0f ms", duration / .milliseconds(1))
    }

    /// At once, also into a file.
    private static func tell(_ name: String, _ columns: String...) {
        var line = name.padding(toLength: 30, withPad: " ", startingAt: 0)
        for text in columns.dropLast() { line += String(repeating: " ", count: max(1, 10 - text.count)) + text }
        FileHandle.standardOutput.write(Data("\(line)  \(columns.last ?? "")\n".utf8))
    }
}

/// What is measured, and the least work that would do.
struct Benchmark {
    let name: String
    let body: Work
    let floorName: String
    let floor: Work
}

/// Something that can be done again and again.
struct Work {
    /// Not measured.
    let prepare: () throws -> Void
    let run: () async throws -> Void

    init(prepare: @escaping () throws -> Void = {}, _ run: @escaping () async throws -> Void) {
        self.prepare = prepare
        self.run = run
    }

    /// The shortest of three times, or of fewer where they take long.
    func best() async throws -> Duration {
        var best: Duration?
        var sum = Duration.zero
        for _ in 0..<3 where sum < .seconds(5) {
            try prepare()
            let clock = ContinuousClock()
            let begun = clock.now
            try await run()
            let took = clock.now - begun
            best = min(best ?? took, took)
            sum += took
        }
        return best ?? .zero
    }
}
