import ArgumentParser
import Foundation

/// The command line.
@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Opens the gate for each window of data exactly once.",
        discussion: """
            Sluice reads run manifests, compares them with the runs recorded in a ledger, and requests the missing flow \
            runs from Adobe Experience Platform's Flow Service.

            EXAMPLES:
              sluice validate manifests/                 check manifests, without service or ledger
              sluice plan manifests/                     show which run requests are missing
              sluice plan manifests/ --out plan.json     keep the plan for review
              sluice apply plan.json                     make exactly the requests that were reviewed
              sluice apply manifests/ --yes              plan and apply at once

            EXIT CODES:
              0 done, or nothing to do        2 changes are pending (plan --detailed-exitcode)
              1 an apply that did not fully succeed
              64 usage                       65 invalid manifest or broken rule
              69 service unavailable         74 ledger or file error
              75 try again later (locked, in doubt, stale plan)
              77 not authorised              78 configuration
            """,
        version: Version.text,
        subcommands: [
            ValidateCommand.self, PlanCommand.self, ApplyCommand.self, RefreshCommand.self, StatusCommand.self,
            FlowsCommand.self, HistoryCommand.self, ReportCommand.self, LedgerCommand.self, SchemaCommand.self,
            SimulateCommand.self, VersionCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Console.error(failure.message)
            Foundation.exit(failure.status.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
