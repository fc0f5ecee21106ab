#include "openrd/receipts_page.hpp"

#include "base/text.hpp"

#include <string>
#include <utility>
#include <vector>

namespace openrd {
namespace {

pipeline::Response answer_of(delivery::ReceiptIntake::Answer answer) {
    pipeline::Response response;
    response.cors = false;
    switch (answer) {
        case delivery::ReceiptIntake::Answer::taken:
            // Some want it said in the body; most look at the status alone.
            response.body = R"({"code":0,"msg":"OK"})";
            break;
        case delivery::ReceiptIntake::Answer::none:
            response.status = 404;
            break;
        case delivery::ReceiptIntake::Answer::not_now:
            response.status = 503;
            response.headers.emplace_back("retry-after", "5");
            break;
    }
    return response;
}

}  // namespace

void ReceiptsPage::handle(const pipeline::Request& request, pipeline::Done done) {
    std::vector<std::pair<std::string, std::string>> headers;
    headers.reserve(request.headers.size());
    for (const auto& header : request.headers) headers.emplace_back(base::ascii_lower(header.name), std::string(header.value));
    intake_.take({.method = request.method, .target = request.target, .headers = headers, .body = request.body},
                 [done = std::move(done)](delivery::ReceiptIntake::Answer answer) { done(answer_of(answer)); });
}

}  // namespace openrd
