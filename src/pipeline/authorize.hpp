#pragma once
// Whether the caller may: his kind, his policies, the role's trust, and what the site switches off. Inside the operation's
// transaction, so that what was authorized is what is changed.
#include "pipeline/exchange.hpp"

namespace openrd::pipeline {

std::optional<Refusal> check_caller_kind(const Exchange&);
std::optional<Refusal> authorize(const Exchange&, const void* request, db::Transaction&, const keys::Ring&);
std::optional<Refusal> check_site(const Exchange&, const base::Settings&);

}  // namespace openrd::pipeline
