import FlowRuns
import Foundation

extension FlowServiceSimulator {
    /// How a simulator is served and how it behaves.
    package struct Configuration: Sendable {
        /// Only this address is listened on.
        package var host: String
        /// 0: any that is free.
        package var port: Int
        /// Keeps the sandbox across restarts; several simulators may share one. `nil`: in memory only.
        package var statePath: String?
        /// The flows of the sandbox; those that the state file has already are passed over.
        package var flows: [SimulatedFlow]
        /// How the sandbox behaves.
        package var sandbox: SandboxConfiguration
        /// What a client must show to be let in.
        package var signIn: SignIn
        /// What goes wrong; the first in the list that strikes a request is the one.
        package var faults: [Fault]
        /// The service's clock, by which runs are made and move, tokens end, and `Date` is sent.
        package var now: @Sendable () -> Timestamp
        /// Whether answers tell the service's time in the header `Date`.
        package var sendsDate: Bool

        /// A simulator on a free loopback port, in memory, without flows and faults.
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

        /// The sandbox's seed.
        package var seed: UInt64 {
            get { sandbox.seed }
            set { sandbox.seed = newValue }
        }

        @Sendable package static func systemTime() -> Timestamp {
            Timestamp(seconds: 0) + .seconds(Date().timeIntervalSince1970)
        }
    }
}
