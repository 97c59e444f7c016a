import ArgumentParser
import Foundation
import Manifests
import Reports

/// The root command.
@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Requests each window of data exactly once from Adobe Experience Platform.",
        discussion: """
            Sluice reads run manifests, compares them with the runs recorded in a ledger, and requests the missing flow \
            runs from the Flow Service.

            EXAMPLES:
              sluice init manifests/                  write a target and a manifest to start from
              sluice validate manifests/              check manifests
              sluice plan manifests/                  show which runs are missing
              sluice plan manifests/ --out plan.json  save the plan for review
              sluice apply plan.json                  send the requests of the saved plan
              sluice status manifests/                show what is there, what is not, and why
              sluice why contacts manifests/          explain one flow
              sluice apply manifests/ --yes           plan and apply at once

            EXIT CODES:
               0  done, or nothing to do
               1  an apply did not fully succeed, a run failed, or a person has to act
               2  changes are pending (plan --detailed-exitcode)
              64  usage
              65  invalid manifest or broken rule
              69  the service is not available
              74  ledger or file error
              75  try again later: flow in use, run in doubt, or outdated plan
              77  not authorised
              78  configuration: credentials or addresses
            """,
        version: Version.text,
        subcommands: [
            InitCommand.self, ValidateCommand.self, PlanCommand.self, ApplyCommand.self, RefreshCommand.self,
            StatusCommand.self,
            WhyCommand.self, ShowCommand.self, FlowsCommand.self, HistoryCommand.self, ReportCommand.self,
            LedgerCommand.self, DoctorCommand.self, SchemaCommand.self,
            SimulateCommand.self, VersionCommand.self,
        ])

    static func main() async {
        Console.ignoreClosedPipes()
        Signals.resetChildSignal()
        do {
            try PathEncoding.check(CommandLine.arguments.dropFirst().first)
            var command = try parsed()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            if let failure = Console.outputFailure {
                // The output of an apply only reports what was sent and recorded.
                guard command is ApplyCommand else { throw Failure(.fileError, failure) }
                Console.printNote("warning: \(failure)")
            }
        } catch let failure as Failure {
            Console.error(failure.message)
            for detail in failure.details { Console.printNote("  \(detail)") }
            Foundation.exit(failure.status.rawValue)
        } catch {
            let status = exitCode(for: error)
            guard !status.isSuccess else { exit(withError: error) }
            let message = fullMessage(for: error)
            for line in message.split(separator: "\n", omittingEmptySubsequences: false) where !message.isEmpty {
                Console.printNote("\(line)")
            }
            Foundation.exit(status.rawValue)
        }
    }

    /// Parses the arguments with a single command, which is milliseconds faster than the full command tree. Errors and
    /// `--help` fall back to the full tree.
    private static func parsed() throws -> any ParsableCommand {
        let (word, others) = (CommandLine.arguments.dropFirst().first, CommandLine.arguments.dropFirst(2))
        let command = configuration.subcommands.first { $0.configuration.commandName == word }
        if let command, command.configuration.subcommands.isEmpty, let parsed = try? command.parse(Array(others)) {
            return parsed
        }
        try refuseUnknownCommand(word)
        return try parseAsRoot()
    }

    /// Rejects an unknown command; the parser would call it an unexpected argument.
    private static func refuseUnknownCommand(_ word: String?) throws(Failure) {
        guard let word, !word.hasPrefix("-") else { return }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard !names.contains(word) else { return }
        let hint = nearest(to: word, among: names).map { ": did you mean '\($0)'?" } ?? "; 'sluice --help' lists them"
        throw Failure(.usage, "there is no command '\(word)'\(hint)")
    }
}
