#pragma once
// Running a room, and what is watched while it runs.
#include "api/operation.hpp"

#include <functional>

namespace openrd::pipeline {

// Runs the room; a fault that the declaration does not list is reported (a test build fails), and answered all the same.
api::Boxed run(const api::AnyOperation& operation, const void* request, api::Call& call);

// The kind to answer with: the one thrown or, where a version has its own text for the code, the one listed for this version.
const api::FaultKind* listed(const api::AnyOperation& operation, const api::FaultKind& thrown, api::Version version);

// For tests: every fault that is thrown, and those that its operation does not list. Set before anything runs.
extern std::function<void(const api::AnyOperation&, const api::Fault&)> on_unlisted_fault;
extern std::function<void(const api::AnyOperation&, const api::Fault&)> on_fault;

}  // namespace openrd::pipeline
