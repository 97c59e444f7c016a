import ArgumentParser
import Foundation

/// Measures operations that users wait for, and compares each with a floor: the minimum work that the operation needs.
///
/// ```sh
/// swift run -c release Benchmarks
/// ```
@main
struct Benchmarks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure what users wait for, each beside its floor.",
        discussion: """
            A floor is the least work that would do; it is measured in the same run. Where two things must be done, the \
            floor is the slower of them.
            """)

    @Option(help: "How many windows, and recorded runs. A hundredth of it is requested, a thousandth committed.")
    var count = 1_000_000
    @Flag(help: "Exit with 1 if a ratio is above its limit.") var check = false
    @Argument(help: "Which to measure, by the beginning of their names; all where none is named.") var names: [String] =
        []

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "benchmarks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        Self.tell("", "took", "floor", "ratio", "the floor")
        var tooSlow: [String] = []
        for benchmark in Benchmark.all(Samples(count, in: folder)) {
            guard names.isEmpty || names.contains(where: benchmark.name.hasPrefix) else { continue }
            guard let measurement = try await benchmark.prepare() else {
                Self.tell(benchmark.name, "", "", "", "not on this machine")
                continue
            }
            var floor = Duration.zero
            for work in measurement.floors { floor = max(floor, try await work.best()) }
            let took = try await measurement.body.best()
            Self.tell(
                benchmark.name, Self.milliseconds(took), Self.milliseconds(floor), String(format: "%.2f", took / floor),
                benchmark.floorName)
            if check, let limit = ratioLimits[benchmark.name], took / floor > limit {
                tooSlow.append("\(benchmark.name): the ratio is above \(limit)")
            }
        }
        for problem in tooSlow { Self.tell(problem, "") }
        guard tooSlow.isEmpty else { throw ExitCode.failure }
    }

    private static func milliseconds(_ duration: Duration) -> String {
        String(format: "%.0f ms", duration / .milliseconds(1))
    }

    /// Prints a line without buffering, even to a file.
    private static func tell(_ name: String, _ columns: String...) {
        var line = name.padding(toLength: 30, withPad: " ", startingAt: 0)
        for text in columns.dropLast() { line += String(repeating: " ", count: max(1, 10 - text.count)) + text }
        FileHandle.standardOutput.write(Data("\(line)  \(columns.last ?? "")\n".utf8))
    }
}

/// A measured operation with its floor.
struct Benchmark {
    let name: String
    let floorName: String
    /// Prepares the operation; returns `nil` if a required program is missing.
    let prepare: () async throws -> Measurement?

    init(_ name: String, floor: String, prepare: @escaping () async throws -> Measurement?) {
        self.name = name
        floorName = floor
        self.prepare = prepare
    }
}

struct Measurement {
    let body: Work
    /// The floors, the slowest of which counts.
    let floors: [Work]

    init(_ body: Work, floor: Work...) {
        self.body = body
        floors = floor
    }
}

/// A repeatable operation.
struct Work {
    let run: () async throws -> Void

    init(_ run: @escaping () async throws -> Void) { self.run = run }

    /// Returns the shortest of three durations, or of fewer for slow operations.
    func best() async throws -> Duration {
        var best: Duration?
        var sum = Duration.zero
        for _ in 0..<3 where sum < .seconds(5) {
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
