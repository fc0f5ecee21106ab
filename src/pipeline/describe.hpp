#pragma once
// An operation's declaration told to people, to the contract test and to the console.
#include "api/operation.hpp"

#include <string>
#include <vector>

namespace openrd::pipeline {

// Where a fault of an operation comes from: its room, a rule of one of its parameters, or a fact that the pipeline enforces
// (who may call, what the site switches off).
enum class FaultOrigin : std::uint8_t { room, rule, pipeline };
struct KnownFault {
    std::string code;
    int http_status;
    std::string message;
    std::string_view decision;  // of one that the vendor's table has not
    FaultOrigin origin;
};
std::vector<KnownFault> faults_of(const api::AnyOperation& operation, api::Version version);

// The fault that the pipeline answers to those who may not call; null: everybody may.
const api::FaultKind* refusal_of(api::Callers callers);

std::string describe_as_json(const api::AnyOperation& operation, api::Version version);
std::string describe_as_markdown(const api::AnyOperation& operation, api::Version version);

}  // namespace openrd::pipeline
