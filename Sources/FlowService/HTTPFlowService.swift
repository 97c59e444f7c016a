import FlowRuns
import Logging

/// The Flow Service over HTTP.
///
/// ```swift
/// let service = try HTTPFlowService(
///     address: "https://platform.adobe.io/data/foundation/flowservice", organization: "1234@AdobeOrg",
///     sandbox: "prod", credentials: .fromEnvironment(environment), options: .init(version: "1.0.0"), logger: logger)
/// let answer = await service.createRun(body, sendBefore: deadline)
/// await service.close()
/// ```
package struct HTTPFlowService: FlowService {
    /// What can be told otherwise than by default.
    package struct Options: Sendable {
        /// Sent as `User-Agent: sluice/VERSION`.
        package var version: String
        /// Plain `http` to other machines than this one.
        package var allowsInsecureHTTP = false
        /// Where `SSL_CERT_FILE`, `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are looked for.
        package var environment: [String: String] = [:]
        /// How questions are repeated. Requests for runs never are.
        package var repetition = Repetition()
        /// How many runs or flows a page of a listing holds.
        package var pageLimit = 100

        /// Everything else as it is by default.
        package init(version: String) { self.version = version }
    }

    let transport: Transport
    let tokens: AccessTokens
    let headers: [(name: String, value: String)]
    let secrets: [String]
    let options: Options
    let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - address: the base address, such as `https://platform.adobe.io/data/foundation/flowservice`.
    ///   - requestTimeout: no request lasts longer, its answer's body included.
    ///   - logger: at `trace`, told each request's method, path, status and duration; nothing else of it ever.
    ///   - now: the clock that deadlines are held against.
    /// - Throws: ``ConfigurationError``; nothing was sent then.
    package init(
        address: String, organization: String, sandbox: String, credentials: Credentials,
        requestTimeout: Duration = .seconds(30), options: Options, logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) throws(ConfigurationError) {
        for (name, value) in [("organization", organization), ("sandbox", sandbox), ("version", options.version)] {
            guard value.isHeaderValue else { throw .invalidValue(name: name) }
        }
        let network = try NetworkEnvironment(options.environment)
        let route = try network.route(
            to: ServiceAddress(address, allowsInsecureHTTP: options.allowsInsecureHTTP))
        switch credentials {
        case .bearer(let token, let apiKey):
            guard token.isHeaderValue else { throw .invalidValue(name: "the access token") }
            guard apiKey.isHeaderValue else { throw .invalidValue(name: "the API key") }
            tokens = AccessTokens(fixed: token)
        case .clientCredentials(let client):
            guard client.id.isHeaderValue else { throw .invalidValue(name: "the client id") }
            let route = try network.route(
                to: ServiceAddress(client.tokenAddress, allowsInsecureHTTP: options.allowsInsecureHTTP))
            let transport = Transport(over: route, timeout: requestTimeout, logger: logger)
            tokens = AccessTokens(of: client, over: transport, repetition: options.repetition, now: now)
        case .none:
            tokens = AccessTokens(fixed: "embedded")
        }
        transport = Transport(over: route, timeout: requestTimeout, logger: logger)
        headers = [
            ("x-api-key", credentials.apiKey), ("x-gw-ims-org-id", organization), ("x-sandbox-name", sandbox),
            ("User-Agent", "sluice/\(options.version)"),
        ]
        secrets = credentials.secrets
        self.options = options
        self.now = now
    }

    /// Ends all connections. Must be called before the service is let go; idempotent.
    package func close() async {
        await transport.close()
        await tokens.close()
    }

    /// Sent once, and once more with a new token when the first was answered with 401.
    package func createRun(_ body: String, sendBefore deadline: Timestamp) async -> RunAnswer {
        await askForRun("/runs", query: nil, body: body, sendBefore: deadline)
    }

    /// The operation takes no body, but only a body can be held back (see ``BodyGate``). So an empty object is sent: a
    /// server ignores it, and must not act before the bytes that `Content-Length` announces are there.
    package func retrigger(_ run: RunID, sendBefore deadline: Timestamp) async -> RunAnswer {
        let path = "/runs/\(run.description.formEncoded)/action"
        return await askForRun(path, query: "op=re-trigger", body: "{}", sendBefore: deadline)
    }

    private func askForRun(
        _ path: String, query: String?, body: String, sendBefore deadline: Timestamp
    ) async -> RunAnswer {
        func answer(with token: String) async -> RunAnswer {
            let gate = BodyGate(body, deadline: deadline, now: now)
            let request = ServiceRequest(
                method: .post, path: path, query: query,
                headers: authorized(by: token) + [("Content-Type", "application/json")], body: gate,
                answerLimit: 65_536)
            do throws(TransportFault) {
                let answer = try await transport.send(request)
                return RunAnswer(answer, now: now(), redaction: Redaction(secrets + [token]))
            } catch {
                return RunAnswer(error)
            }
        }
        do throws(FlowServiceError) {
            let token = try await tokens.token()
            // No connection is made for nothing; the gate looks again at the last moment.
            guard now() <= deadline else { return RunAnswer(TransportFault(BodyGate.Held.late, mayHaveArrived: false)) }
            let first = await answer(with: token)
            guard case .unauthorized = first, let fresh = try await tokens.replacement(of: token) else { return first }
            return await answer(with: fresh)
        } catch .unauthorized(let reason) {
            return .unauthorized(reason: reason)
        } catch {
            return .notSent("there is no access token: \(error)")
        }
    }

    /// The headers of every request.
    func authorized(by token: String) -> [(name: String, value: String)] {
        [("Authorization", "Bearer \(token)")] + headers
    }
}
