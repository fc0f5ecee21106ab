#pragma once
// A refusal the vendor documents. Kinds live in one catalogue (faults.hpp); rooms throw `operation.fault(kind)`.
#include "api/version.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace openrd::api {

struct ListedFault;

struct FaultKind {
    std::string_view code;
    int http_status;
    std::string_view message;  // "%s" here and in code stands for Fault::about

    consteval ListedFault only(Version version) const;
    // Not in the vendor's table of the operation: names the decision of spec or docs/decisions that brings it.
    consteval ListedFault beyond(std::string_view decision) const;
    friend constexpr bool operator==(const FaultKind&, const FaultKind&) = default;
};

// One line of an operation's .faults: the kind, and the versions that know it.
struct ListedFault {
    const FaultKind* kind;
    Versions versions = Versions::all();
    std::string_view decision{};  // of a fault beyond the vendor's table
    consteval ListedFault(const FaultKind& k) : kind(&k) {}
    consteval ListedFault(const FaultKind& k, Versions v, std::string_view d = {}) : kind(&k), versions(v), decision(d) {}
    consteval ListedFault only(Version version) const { return {*kind, Versions{version}, decision}; }
};
consteval ListedFault FaultKind::only(Version version) const { return {*this, Versions{version}}; }
consteval ListedFault FaultKind::beyond(std::string_view decision) const { return {*this, Versions::all(), decision}; }

// What is thrown. Small and literal, so that `throw operation.fault(kind)` is checked while compiling.
class Fault {
  public:
    explicit constexpr Fault(const FaultKind& kind) : kind_(&kind) {}
    constexpr Fault about(std::string_view what) const {
        Fault named = *this;
        named.size_ = std::min(what.size(), sizeof named.about_);
        std::copy_n(what.begin(), named.size_, named.about_);
        return named;
    }
    // Seconds after which it may work; goes into Recommend, never into the message.
    constexpr Fault after(std::int64_t seconds) const {
        Fault waiting = *this;
        waiting.wait_seconds_ = seconds;
        return waiting;
    }
    Fault as(const FaultKind& kind) const {
        Fault other = *this;
        other.kind_ = &kind;
        return other;
    }
    const FaultKind& kind() const { return *kind_; }
    std::string code() const { return filled(kind_->code); }
    std::string message() const { return filled(kind_->message); }
    std::int64_t wait_seconds() const { return wait_seconds_; }

  private:
    std::string filled(std::string_view pattern) const {
        std::string text(pattern);
        if (const auto at = text.find("%s"); at != text.npos) text.replace(at, 2, about_, size_);
        return text;
    }
    const FaultKind* kind_;
    char about_[64] = {};
    std::size_t size_ = 0;
    std::int64_t wait_seconds_ = 0;
};

}  // namespace openrd::api
