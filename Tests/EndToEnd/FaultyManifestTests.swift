import Foundation
import Testing

/// All faulty manifests on the command line: each must cause a useful message and exit code 65, without a crash or a
/// hang.
@Suite("Faulty manifests on the command line")
struct FaultyManifestTests {
    private static let folder = Program.checkout.appending(path: "Tests/ManifestsTests/Faulty")

    /// Hostile files that are too large or too unusual for the repository.
    private static let made: [(name: String, bytes: Data)] = [
        ("brackets", Data(repeating: UInt8(ascii: "["), count: 100_000)),
        ("braces", Data(String(repeating: "{a: ", count: 100_000).utf8)),
        ("nul", Data("apiVersion: sluice/v1\0\n".utf8)),
        ("invalid UTF-8", Data([0x61, 0x3A, 0x20, 0xFF, 0xFE, 0x0A])),
        ("tab", Data("a:\n\t- b\n".utf8)),
        (
            "alias bomb",
            Data(
                ("a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
                    + (1..<20).map { "a\($0): &a\($0) [\(String(repeating: "*a\($0 - 1), ", count: 9))]\n" }.joined())
                    .utf8)
        ),
        ("65 MiB", Data(repeating: UInt8(ascii: "#"), count: 65 << 20)),
    ]

    @Test("each file of the repository is rejected with a place and a code")
    func kept() async throws {
        let user = try Program()
        defer { user.remove() }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasSuffix(".yaml") }.sorted()
        #expect(files.count >= 30)
        for file in files {
            let result = try await user.run("validate", Self.folder.appending(path: file).path)
            let isWarning = !result.errors.contains("error[SLU") && result.errors.contains("warning[SLU")
            #expect(result.status == (isWarning ? 0 : 65), "\(file): \(result.errors)")
            #expect(result.errors.contains("[SLU"), "\(file): \(result.errors)")
            #expect(result.errors.contains("--> "), "\(file): \(result.errors)")
        }
    }

    @Test("hostile files are rejected", arguments: made.indices)
    func hostile(index: Int) async throws {
        let user = try Program()
        defer { user.remove() }
        try Self.made[index].bytes.write(to: user.path("hostile.yaml"))
        let result = try await user.run("validate", "hostile.yaml")
        #expect(result.status == 65, "\(Self.made[index].name): \(result.status) \(result.errors)")
        #expect(result.errors.contains("error[SLU"))
    }

    @Test(
        "reading faulty manifests leaks no memory of libyaml",
        .enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/valgrind")),
        .disabled(if: !RunningProgram.sanitizerOptions.isEmpty, "valgrind cannot run what a sanitizer watches"))
    func leaks() async throws {
        let user = try Program()
        defer { user.remove() }
        // Stripped, because valgrind cannot read all debug information of the compiler.
        let strip = try RunningProgram(
            URL(fileURLWithPath: "/usr/bin/strip"), ["-o", user.path("sluice").path, Program.binary.path],
            in: user.folder, environment: [:], input: nil)
        #expect(try await strip.end().status == 0)
        // In some builds, Swift's runtime reads uninitialised memory when it creates type metadata.
        let valgrind = try RunningProgram(
            URL(fileURLWithPath: "/usr/bin/valgrind"),
            [
                "--undef-value-errors=no", "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
                "--error-exitcode=99", user.path("sluice").path, "validate", "--quiet", Self.folder.path,
            ], in: user.folder, environment: [:], input: nil)
        let result = try await valgrind.end()
        #expect(result.status == 65, "\(result.errors.suffix(2000))")
        #expect(result.errors.contains("definitely lost: 0 bytes"))
    }
}
