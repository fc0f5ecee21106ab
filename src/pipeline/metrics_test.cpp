#include "pipeline/metrics.hpp"

#include "api/operation.hpp"
#include "api/registry.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace openrd::pipeline {
namespace {

std::string written(const Metrics& metrics) {
    std::string text;
    metrics.write(text);
    return text;
}
bool says(const Metrics& metrics, const std::string& line) { return ("\n" + written(metrics)).find("\n" + line + "\n") != std::string::npos; }

TEST(Metrics, CountAnswersByOperationAndClass) {
    Metrics metrics;
    const auto* get = api::find("GetAccount", api::master_2022);
    metrics.count(get, 200, 400'000);
    metrics.count(get, 200, 400'000);
    metrics.count(get, 404, 3'000'000);
    metrics.count(nullptr, 503, 20'000'000'000);
    EXPECT_TRUE(says(metrics, R"(openrd_requests_total{action="GetAccount",code="2xx"} 2)")) << written(metrics);
    EXPECT_TRUE(says(metrics, R"(openrd_requests_total{action="GetAccount",code="4xx"} 1)"));
    EXPECT_TRUE(says(metrics, R"(openrd_requests_total{action="-",code="5xx"} 1)"));
    EXPECT_EQ(written(metrics).find("CreateFolder"), std::string::npos) << "nobody has called it";
}

TEST(Metrics, PutAnswersIntoBuckets) {
    Metrics metrics;
    const auto* get = api::find("GetAccount", api::master_2022);
    metrics.count(get, 200, 250'000);
    metrics.count(get, 200, 250'001);
    metrics.count(get, 200, 6'000'000'000);
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_bucket{action="GetAccount",le="0.00025"} 1)")) << written(metrics);
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_bucket{action="GetAccount",le="0.0005"} 2)"));
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_bucket{action="GetAccount",le="5"} 2)"));
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_bucket{action="GetAccount",le="+Inf"} 3)"));
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_count{action="GetAccount"} 3)"));
    EXPECT_TRUE(says(metrics, R"(openrd_request_seconds_sum{action="GetAccount"} 6.000500)"));
}

TEST(Metrics, LoseNothingAmongThreads) {
    Metrics metrics;
    std::vector<std::thread> threads;
    for (int i = 0; i < 20; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 1000; ++n) metrics.count(nullptr, 400, 1000);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_TRUE(says(metrics, R"(openrd_requests_total{action="-",code="4xx"} 20000)"));
}

}  // namespace
}  // namespace openrd::pipeline
