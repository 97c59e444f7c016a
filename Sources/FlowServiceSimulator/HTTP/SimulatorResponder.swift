import FlowRuns
import Foundation
import Hummingbird
import NIOCore

/// The HTTP layer of the simulator, which parses requests, applies faults and formats responses.
struct SimulatorResponder: Sendable {
    let state: SimulatorState
    let now: @Sendable () -> Timestamp
    let sendsDate: Bool
    private let connections = Connections()

    init(state: SimulatorState, now: @escaping @Sendable () -> Timestamp, sendsDate: Bool) {
        self.state = state
        self.now = now
        self.sendsDate = sendsDate
    }

    func respond(to request: Request, over channel: any Channel) async -> Response {
        var response = await answer(request, over: channel)
        if sendsDate { response.headers[.date] = HTTPDate.text(now()) }
        return response
    }

    private func answer(_ request: Request, over channel: any Channel) async -> Response {
        let isReused = connections.isReused(channel)
        do throws(ServiceError) {
            let url = URLComponents(string: request.head.path ?? "/")
            let endpoint = try Endpoint(method: request.method.rawValue, path: url?.path ?? "/")
            let fault = await state.recordArrival(at: endpoint, isReused: isReused)
            let faulty = FaultyExchange(channel: channel, now: now)
            if let fault, let response = await faulty.before(fault) { return response }
            let answer = await state.answer(try await read(request, endpoint, url))
            guard let fault else { return answer.response }
            return await faulty.after(fault, answer)
        } catch {
            return error.answer.response
        }
    }

    private func read(
        _ request: Request, _ endpoint: Endpoint, _ url: URLComponents?
    ) async throws(ServiceError) -> ServiceRequest {
        let limit = 1 << 20
        guard let body = try? await request.body.collect(upTo: limit) else { throw .tooLarge }
        var headers: [String: String] = [:]
        for field in request.headers { headers[field.name.canonicalName] = field.value }
        return ServiceRequest(
            endpoint: endpoint, query: url?.queryItems ?? [], headers: headers, body: Data(body.readableBytesView))
    }
}

extension ServiceAnswer {
    var response: Response {
        Response(status: .init(code: status), headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }

    var fields: HTTPFields {
        var fields: HTTPFields = [.contentType: contentType]
        fields[.retryAfter] = retryAfter
        return fields
    }
}
