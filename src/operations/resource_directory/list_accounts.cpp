// ListAccounts lists the members of the directory, by page number or, in the newer version, by token. A given MaxResults or
// NextToken wins over the page number; the management account is no member and never listed.
#include "api/operation.hpp"
#include "api/paging.hpp"
#include "base/text.hpp"
#include "keys/ring.hpp"
#include "operations/resource_directory/member_list.hpp"
#include "operations/resource_directory/rules.hpp"
#include "store/directories.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    bool include_tags = false;
    api::Page page;
    api::TokenPage from;
    std::string keyword;
    std::vector<api::Tag> tags;
};

struct Account {
    MemberItem member;
    std::string path;
};
constexpr api::Field<Account> account_fields[] = {
    api::group<&Account::member>(member_item_fields),
    api::field<&Account::path>("ResourceDirectoryPath"),
};

struct Answer {
    std::vector<Account> accounts;
    std::optional<std::string> next_token;
    api::PageOf page;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "ListAccounts",
    .summary = "Lists the members of the resource directory.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:ListAccounts",
    .resource = api::every_account,
    .callers = api::Callers::management_or_delegated,
    .rate = api::per_second(50),
    .parameters{
        api::optional<&Request::include_tags>("IncludeTags"),
        api::group<&Request::page>(api::page_parameters),
        api::group<&Request::from>(api::token_parameters).only(api::master_2022),
        api::optional<&Request::keyword>("QueryKeyword", keyword_rule).only(api::master_2022),
        api::optional<&Request::tags>("Tag.N", api::tag_fields).at_most(20),
    },
    .answer{
        api::field<&Answer::accounts>("Accounts.Account[]", account_fields),
        api::field<&Answer::next_token>("NextToken").only(api::master_2022),
        api::group<&Answer::page>(api::page_fields),
    },
    .faults = {fault::invalid_next_token.only(api::master_2022)},
    .run = run,
};

// A token holds the last account of the page before, for this directory and these filters only.
std::string token_belongs_to(const Request& request, const api::Call& call) {
    std::string what = "ListAccounts/" + call.caller.directory_id + "/" + request.keyword;
    for (const auto& tag : request.tags) what += '\n' + tag.key + '\t' + tag.value;
    return what;
}

Answer run(const Request& request, api::Call& call) {
    const bool by_token = request.from.max_results || !request.from.next_token.empty();
    const std::int64_t size = by_token ? request.from.max_results.value_or(10) : request.page.size;
    const std::int64_t offset = by_token ? 0 : (std::int64_t{request.page.number} - 1) * size;
    std::string after;
    if (!request.from.next_token.empty()) {
        auto opened = call.ring.open_page_token(request.from.next_token, token_belongs_to(request, call));
        if (!opened) throw operation.fault(fault::invalid_next_token);
        after = *std::move(opened);
    }
    store::MemberFilter filter{.keyword = base::ascii_lower(request.keyword)};
    if (auto ids = ids_with(call, store::tagged_account, request.tags)) {
        filter.by_tags = true;
        filter.only = *std::move(ids);
    }
    const auto& directory_id = call.caller.directory_id;
    auto members = store::list_members(call.transaction, directory_id, filter, after, offset, size + 1);
    const bool more = members.size() > static_cast<std::size_t>(size);
    if (more) members.pop_back();

    Answer answer;
    for (const auto& member : members) answer.accounts.push_back({member_item(call, member, request.include_tags), member.path});
    if (by_token && more) answer.next_token = call.ring.page_token(members.back().account_id, token_belongs_to(request, call));
    const auto total = filter.filtered() ? store::count_members(call.transaction, directory_id, filter) : store::load_directory(call.transaction, directory_id).member_count;
    answer.page = {by_token ? 1 : request.page.number, static_cast<std::int32_t>(size), static_cast<std::int32_t>(total)};
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation list_accounts{operation};

}  // namespace openrd::operations::resource_directory
