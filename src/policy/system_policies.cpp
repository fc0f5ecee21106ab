#include "policy/system_policies.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

namespace openrd::policy {
namespace {

constexpr std::array policies{
    SystemPolicy{"AdministratorAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"},
    SystemPolicy{"AliyunActionTrailFullAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"actiontrail:*","Resource":"*"}]})"},
    SystemPolicy{"AliyunRAMFullAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]})"},
    SystemPolicy{"AliyunRAMReadOnlyAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:Get*","ram:List*"],"Resource":"*"}]})"},
    // The vendor's also lets service-linked roles of the trusted services be created, under a Condition.
    SystemPolicy{"AliyunResourceDirectoryFullAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"resourcemanager:*","Resource":"*"}]})"},
    SystemPolicy{"AliyunResourceDirectoryReadOnlyAccess",
                 R"({"Version":"1","Statement":[{"Effect":"Allow","Action":["resourcemanager:Get*","resourcemanager:List*"],"Resource":"*"}]})"},
    SystemPolicy{"AliyunSTSAssumeRoleAccess", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]})"},
    // Of the service-linked role. The vendor's also lets it delete such roles, under a Condition.
    SystemPolicy{"AliyunServiceRolePolicyForResourceDirectory", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:CreateServiceLinkedRole","Resource":"*"}]})"},
};
static_assert(std::ranges::is_sorted(policies, {}, &SystemPolicy::name));

std::vector<Document> parsed() {
    std::vector<Document> documents;
    for (const auto& policy : policies) {
        auto document = Document::parse(policy.text, Kind::identity);
        if (!document) throw std::logic_error("system policy " + std::string(policy.name) + ": " + document.error());
        documents.push_back(*std::move(document));
    }
    return documents;
}

}  // namespace

std::span<const SystemPolicy> system_policies() { return policies; }

const Document* find_system_policy(std::string_view name) {
    static const std::vector<Document> documents = parsed();
    const auto policy = std::ranges::lower_bound(policies, name, {}, &SystemPolicy::name);
    if (policy == policies.end() || policy->name != name) return nullptr;
    return &documents[static_cast<std::size_t>(policy - policies.begin())];
}

}  // namespace openrd::policy
