import Foundation
import Testing

/// Shell completion as used with Tab.
@Suite("Completion")
struct CompletionTests {
    /// Completes a command line as bash does, with the script that the program prints.
    private static let bash = """
        PATH="$1:$PATH"
        source <(sluice --generate-completion-script bash)
        COMP_LINE="$2" COMP_POINT=${#2}
        read -ra COMP_WORDS <<< "$2"
        [[ "$2" == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        "$(complete -p sluice | sed 's/.*-F \\([^ ]*\\).*/\\1/')" sluice "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """

    @Test(
        "the words that fit the position are offered",
        arguments: [
            ("sluice sta", ["status"]),
            ("sluice plan targets --target ", ["prod", "stage"]),
            ("sluice apply --target st", ["stage"]),
            (
                "sluice history targets --flow ",
                [
                    "3e2d436e-6b95-4e38-a4ca-d08b1a3aaab1", "5378fe7c-c402-4e7f-9f46-fb2d33652019", "orders",
                    "shipments",
                ]
            ),
            ("sluice history targets --flow sh", ["shipments"]),
            ("sluice history --state in", ["in-doubt"]),
            ("sluice schema e", ["events"]),
        ])
    func offered(line: String, words: [String]) async throws {
        let user = try Program(example: "targets")
        defer { user.remove() }
        let folder = Program.binary.deletingLastPathComponent().path
        let shell = try RunningProgram(
            URL(filePath: "/bin/bash"), ["-c", Self.bash, "bash", folder, line], in: user.folder, environment: [:],
            input: nil)
        let result = try await shell.end()
        let offered = result.output.split(separator: "\n").map(String.init)
        // Flows of other targets may add names.
        #expect(Set(words).isSubset(of: offered), "\(offered) \(result.errors)")
        #expect(
            offered.allSatisfy { $0.hasPrefix(line.split(separator: " ", omittingEmptySubsequences: false).last ?? "") }
        )
    }
}
