#pragma once
// One operation, declared once. Everything else about it derives from this value: see house.md 3.
//
//   constexpr api::Operation<Request, Answer> operation{ .name = .., .run = run };        in the room's unnamed namespace
//   constinit const api::AnyOperation bind_secure_mobile_phone{operation};                the one name that leaves the room
#include "api/call.hpp"
#include "api/field.hpp"

#include <memory>

namespace openrd::api {

// For operations that ask nothing, or answer only the RequestId.
struct Nothing {};

enum class Effect : std::uint8_t { read = 1, write };

template <class> inline constexpr bool never = false;

// The RAM action; without one a room does not compile.
struct Action {
    std::string_view text;
    bool open = false;
    consteval Action(const char* ram_action) : text(ram_action) {}
    consteval Action(struct OpenToAll);
    template <class T = void> consteval Action() { static_assert(never<T>, "an operation names its RAM .action, or says api::open_to_all"); }
};
struct OpenToAll {};
inline constexpr OpenToAll open_to_all;
consteval Action::Action(OpenToAll) : text("(open to all)"), open(true) {}

// What the action is asked for. The pipeline turns it into ARNs, which needs the store for the path of an account.
enum class ResourceKind : std::uint8_t { everything, account, folder, handshake, control_policy, role, user };
struct ResourceFacts {
    ResourceKind kind = ResourceKind::everything;
    const void* (*id)(const void*) = nullptr;  // of a std::string in the request; null: every resource of the kind
};
template <class Request> struct Resource : ResourceFacts {};
struct Everything {};
inline constexpr Everything everything;

template <class Request> struct Resources {
    ResourceFacts list[2];
    std::uint8_t count = 1;
    consteval Resources(Everything) : list{} {}
    consteval Resources(Resource<Request> one) : list{one} {}
    consteval Resources(Resource<Request> one, Resource<Request> two) : list{one, two}, count(2) {}
    template <class T = void> consteval Resources() { static_assert(never<T>, "an operation names its .resource, or says api::everything"); }
};
template <auto Member> constexpr Resource<OwnerOf<Member>> resource_named_by(ResourceKind kind) {
    static_assert(std::is_same_v<ValueOf<Member>, std::string>, "a resource is named by a std::string of the request");
    return {{kind, member_at<OwnerOf<Member>, Member>}};
}
template <auto Member> inline constexpr auto account_in_tree = resource_named_by<Member>(ResourceKind::account);
template <auto Member> inline constexpr auto folder_in_tree = resource_named_by<Member>(ResourceKind::folder);
template <auto Member> inline constexpr auto role = resource_named_by<Member>(ResourceKind::role);
template <auto Member> inline constexpr auto user = resource_named_by<Member>(ResourceKind::user);
struct EveryAccount {
    template <class R> consteval operator Resources<R>() const { return Resources<R>(Resource<R>{{ResourceKind::account, nullptr}}); }
};
struct EveryControlPolicy {
    template <class R> consteval operator Resources<R>() const { return Resources<R>(Resource<R>{{ResourceKind::control_policy, nullptr}}); }
};
inline constexpr EveryAccount every_account;
// Beside another resource, where the conversion above does not reach.
template <class Request> inline constexpr Resource<Request> every_account_of{{ResourceKind::account, nullptr}};
inline constexpr EveryControlPolicy every_control_policy;

struct Rate {
    std::uint32_t calls = 100, seconds = 1;  // where the vendor publishes none
};
consteval Rate per_second(std::uint32_t calls) { return {calls, 1}; }

// What a write holds while it runs, so that what it has read stays true until it is committed. On a file there is one writer at a
// time anyway; on a shared database (house.md 5) the row of this is locked before anything is authorized.
enum class Holds : std::uint8_t {
    directory,  // the caller's directory, or his account while he is in none: nothing else in it changes
    account,    // the member that the resource names: others go on
    nothing,    // it writes nothing but its record
};

template <class Request, class Answer> struct Operation {
    std::string_view name;
    std::string_view summary;
    Versions served_as;
    Effect effect;
    Action action;
    Resources<Request> resource;
    Callers callers;
    Holds holds = Holds::directory;
    Rate rate = {};
    std::initializer_list<Field<Request>> parameters = {};
    std::initializer_list<Field<Answer>> answer = {};
    std::initializer_list<ListedFault> faults = {};  // those that run throws; rules and callers bring their own
    Answer (*run)(const Request&, Call&);

    // The only way a room makes a fault: one that the declaration does not list does not compile.
    consteval Fault fault(const FaultKind& kind) const {
        if (std::ranges::none_of(faults, [&](const ListedFault& listed) { return *listed.kind == kind; })) refused::this_fault_is_not_listed_in_the_operation();
        return Fault(kind);
    }
};

// A value of a type that only the room knows.
class Boxed {
  public:
    template <class T> static Boxed of(T* value) {
        return Boxed(value, [](void* p) noexcept { delete static_cast<T*>(p); });
    }
    void* get() const { return value_.get(); }

  private:
    Boxed(void* value, void (*destroy)(void*) noexcept) : value_(value, destroy) {}
    std::unique_ptr<void, void (*)(void*) noexcept> value_;
};

// An operation as the pipeline, the registry, the docs and the laws see it: the types of the room are gone.
class AnyOperation {
  public:
    template <class Request, class Answer> consteval AnyOperation(const Operation<Request, Answer>& o);

    std::string_view name, summary;
    Versions served_as;
    Effect effect;
    Action action;
    Callers callers;
    Holds holds;
    Rate rate;
    ResourceFacts resources[2];
    std::uint8_t resource_count;
    FieldList parameters, answer;
    const ListedFault* first_fault;
    std::size_t fault_count;

    std::span<const ListedFault> faults() const { return {first_fault, fault_count}; }
    Boxed new_request() const { return new_request_(); }
    Boxed run(const void* request, Call& call) const { return run_(declared_, request, call); }

  private:
    const void* declared_;
    Boxed (*new_request_)();
    Boxed (*run_)(const void* declared, const void* request, Call&);
};

// Two rooms may both say `struct Request`; only an unnamed namespace keeps the linker from taking them for one type.
template <class T> constexpr bool private_to_its_room() {
    const std::string_view name = __PRETTY_FUNCTION__;
    return std::is_same_v<T, Nothing> || name.find("{anonymous}") != name.npos || name.find("(anonymous") != name.npos;
}
template <class Owner> constexpr void check_fields(const std::initializer_list<Field<Owner>>& fields, Versions served) {
    if (distinct_members(fields) != members_of<Owner>) refused::a_member_has_no_wire_name();
    for (auto f = fields.begin(); f != fields.end(); ++f) {
        if (!f->mentions.within(served)) refused::a_field_is_only_for_a_version_that_does_not_serve_the_operation();
        for (auto g = fields.begin(); g != f; ++g)
            if (!f->name.empty() && f->name == g->name && f->versions.meets(g->versions)) refused::a_wire_name_is_declared_twice();
    }
}

template <class Request, class Answer>
consteval AnyOperation::AnyOperation(const Operation<Request, Answer>& o)
    : name(o.name), summary(o.summary), served_as(o.served_as), effect(o.effect), action(o.action), callers(o.callers), holds(o.holds), rate(o.rate),
      resources{o.resource.list[0], o.resource.list[1]}, resource_count(o.resource.count), parameters{o.parameters.begin(), o.parameters.size()},
      answer{o.answer.begin(), o.answer.size()}, first_fault(o.faults.begin()), fault_count(o.faults.size()), declared_(&o),
      new_request_([]() { return Boxed::of(new Request{}); }), run_([](const void* declared, const void* request, Call& call) {
          return Boxed::of(new Answer(static_cast<const Operation<Request, Answer>*>(declared)->run(*static_cast<const Request*>(request), call)));
      }) {
    if (!private_to_its_room<Request>() || !private_to_its_room<Answer>()) refused::Request_and_Answer_belong_in_an_unnamed_namespace();
    if (!upper_camel(o.name)) refused::a_wire_name_is_empty_or_not_UpperCamelCase();
    if (o.effect == Effect::read && (o.name.starts_with("Create") || o.name.starts_with("Delete") || o.name.starts_with("Update"))) refused::a_read_is_named_like_a_write();
    for (const auto& f : o.parameters)
        if (f.presence == Presence::answered) refused::a_parameter_is_declared_as_required_or_optional();
    for (const auto& f : o.answer)
        if (f.presence != Presence::answered && f.notation != Notation::group) refused::an_answer_is_declared_as_field();
    check_fields(o.parameters, o.served_as);
    check_fields(o.answer, o.served_as);
    if (o.holds == Holds::account && o.resource.list[0].kind != ResourceKind::account) refused::an_operation_that_holds_an_account_names_it_as_its_resource();
    if (!o.action.open)
        for (auto v = 0u; v < std::size(version_facts); ++v)
            if (o.served_as.has(static_cast<Version>(v)) && !o.action.text.starts_with(version_facts[v].ram_code)) refused::the_ram_action_is_not_of_this_product();
    for (auto f = o.faults.begin(); f != o.faults.end(); ++f)
        for (auto g = o.faults.begin(); g != f; ++g)
            if (*f->kind == *g->kind && f->versions.meets(g->versions)) refused::a_fault_is_listed_twice();
}

}  // namespace openrd::api
