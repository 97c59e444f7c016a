import FlowRuns
import Foundation

extension FlowServiceSimulator {
    /// The settings of a simulator.
    package struct Configuration: Sendable {
        /// The address to listen on.
        package var host: String
        /// The port; 0 selects a free port.
        package var port: Int
        /// The path of a file that keeps the sandbox across restarts, and that several simulators can share; `nil`
        /// keeps the sandbox in memory.
        package var statePath: String?
        /// The flows to add to the sandbox. Flows that the state file already contains are skipped.
        package var flows: [SimulatedFlow]
        /// The behaviour of the sandbox.
        package var sandbox: SandboxConfiguration
        /// The authentication rules.
        package var signIn: SignIn
        /// The faults to inject. For each request, the first applicable fault in the list is used.
        package var faults: [Fault]
        /// The service's clock, which determines the times of runs, the expiry of tokens and the header `Date`.
        package var now: @Sendable () -> Timestamp
        /// Whether responses have the header `Date`.
        package var sendsDate: Bool

        /// Creates settings; by default with a free loopback port, state in memory, no flows and no faults.
        package init(
            host: String = "127.0.0.1", port: Int = 0, statePath: String? = nil, flows: [SimulatedFlow] = [],
            sandbox: SandboxConfiguration = SandboxConfiguration(), signIn: SignIn = SignIn(), faults: [Fault] = [],
            now: @escaping @Sendable () -> Timestamp = Configuration.systemTime, sendsDate: Bool = true
        ) {
            self.host = host
            self.port = port
            self.statePath = statePath
            self.flows = flows
            self.sandbox = sandbox
            self.signIn = signIn
            self.faults = faults
            self.now = now
            self.sendsDate = sendsDate
        }

        /// The seed of the sandbox.
        package var seed: UInt64 {
            get { sandbox.seed }
            set { sandbox.seed = newValue }
        }

        @Sendable package static func systemTime() -> Timestamp {
            Timestamp(seconds: 0) + .seconds(Date().timeIntervalSince1970)
        }
    }
}
