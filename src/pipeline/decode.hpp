#pragma once
// From the flat parameters of a request to the Request of an operation, by its declaration.
#include "api/operation.hpp"
#include "wire/parameters.hpp"

namespace openrd::pipeline {

// The request of `operation` in `version`; throws the Fault of the first parameter that is missing or breaks its rule.
api::Boxed decode(const api::AnyOperation& operation, const wire::Parameters& parameters, api::Version version);

// How far a parameter may travel: anywhere; nowhere; only under the key of the person it is about.
enum class Confidence : std::uint8_t { open, secret, personal };
struct KnownParameter {
    std::string name, value;
    Confidence confidence;
};
// What was sent of the declared parameters, for the audit log; unknown ones are left out, since nobody knows what they hold.
std::vector<KnownParameter> known_parameters(const api::AnyOperation& operation, const wire::Parameters& parameters);

}  // namespace openrd::pipeline
