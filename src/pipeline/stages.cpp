#include "pipeline/stages.hpp"

#include "api/faults.hpp"
#include "base/log.hpp"
#include "keys/ring.hpp"
#include "pipeline/authenticate.hpp"
#include "pipeline/authorize.hpp"
#include "pipeline/decode.hpp"
#include "pipeline/encode.hpp"
#include "pipeline/run.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/members.hpp"

#include <algorithm>
#include <utility>

namespace openrd::pipeline {
namespace {

using State = Pipeline::State;

Checked check_nonce(Exchange& ex, State& state) {
    ex.authenticated = true;
    ex.nonce_hash = state.ring.nonce_hash(ex.access_key_id, ex.nonce);
    // In the sandbox a signature is good by either clock: a nonce is dropped only when it is dead by both.
    const std::int64_t now_ms = state.settings.sandbox ? std::min(ex.now_ms, base::real_now_ms()) : ex.now_ms;
    switch (state.nonces.take(ex.nonce_hash, ex.signed_ms, now_ms)) {
        case Nonces::Verdict::fresh:
            ex.nonce_is_fresh = true;
            return {};
        case Nonces::Verdict::used:
            return refuse(fault::nonce_used);
        case Nonces::Verdict::too_old:
            return refuse(fault::timestamp_expired);
    }
    return refuse(fault::nonce_used);
}

Checked check_rate(Exchange& ex, State& state) {
    if (!state.settings.rates.enforced) return {};
    const auto verdict = state.throttle.admit(ex.identity->caller.account_id, *ex.operation, ex.now_ms);
    if (verdict.admitted) return {};
    ex.counted = true;
    Refusal refusal = refuse(fault::throttled);
    refusal.retry_after_ms = verdict.wait_ms;
    return refusal;
}

Checked decode_parameters(Exchange& ex, State&) {
    try {
        ex.decoded = decode(*ex.operation, ex.parameters, ex.version);
        return {};
    } catch (const api::Fault& fault) { return refuse(fault); }
}

// Without a channel no code arrives anywhere: none is made, and nobody counts it against the member (docs/decisions/0017).
Checked check_channels(const Exchange& ex, const State& state) {
    if (state.settings.messages || !ex.operation->name.starts_with("SendVerificationCode")) return {};
    return refuse(fault::service_unavailable);
}

constexpr Stage before[] = {
    {"parameters", [](Exchange& ex, State& s) { return collect(ex, s.settings); }},                          // limits first: nothing is allocated for what lies beyond them
    {"operation", [](Exchange& ex, State&) { return resolve(ex); }},                                         // a wrong name is told before anything is asked of the key
    {"common parameters", [](Exchange& ex, State& s) { return check_common(ex, s.settings); }},              // cheap: what is stale or malformed never reaches the keys
    {"owner", [](Exchange& ex, State& s) { return find_owner(ex, s.engine, s.ring, s.identities); }, true},  // the key whose signature it should be, and its token
    {"signature", [](Exchange& ex, State&) { return check_signature(ex); }},                                 // from here on the caller is who he says he is
    {"nonce", check_nonce},                                                                                  // after the signature, so that nobody can use up other people's nonces
    {"rate", check_rate},                                                                                    // after the nonce: a replay costs its victim nothing
    {"request", decode_parameters},                                                                          // what the room is asked, or which parameter is wrong
};

// The scope of a room in a write: undone when it refuses, but for what it asked to keep.
class RoomScope final : public api::Keeper {
  public:
    explicit RoomScope(db::Transaction& tx) : tx_(tx) { open(); }
    RoomScope(const RoomScope&) = delete;
    RoomScope& operator=(const RoomScope&) = delete;
    ~RoomScope() {
        if (open_) tx_.rollback_to_savepoint();
    }

    void keep(const std::function<void()>& effects) override {
        if (!open_) throw std::logic_error("a read keeps nothing");
        if (tx_.writes() != writes_) throw std::logic_error("a room keeps before it writes anything else");
        open_ = false;
        tx_.release_savepoint();
        db::Savepoint kept(tx_);
        effects();
        kept.keep();
        open();
    }
    void finish() {
        open_ = false;
        tx_.release_savepoint();
    }

  private:
    void open() {
        tx_.savepoint();
        open_ = true;
        writes_ = tx_.writes();
    }
    db::Transaction& tx_;
    bool open_ = false;
    std::int64_t writes_ = 0;
};

class KeepsNothing final : public api::Keeper {
  public:
    void keep(const std::function<void()>&) override { throw std::logic_error("a read keeps nothing"); }
};

void run_room(Exchange& ex, State& state, db::Transaction& tx, api::Keeper& keeper) {
    api::Call call{.version = ex.version,
                   .caller = ex.identity->caller,
                   .now_ms = ex.now_ms,
                   .request_id = ex.request_id,
                   .source_address = ex.request.source_address,
                   .transaction = tx,
                   .ring = state.ring,
                   .numbering = state.numbering,
                   .settings = state.settings,
                   .keeper = keeper};
    try {
        const auto answer = run(*ex.operation, ex.decoded->get(), call);
        ex.body =
            ex.format == Format::xml ? encode_xml(*ex.operation, answer.get(), ex.version, ex.request_id) : encode_json(*ex.operation, answer.get(), ex.version, ex.request_id);
    } catch (const api::Fault& fault) { ex.refusal = refuse(fault); } catch (const db::Error&) {
        throw;  // the transaction is not to be trusted any more
    } catch (const keys::MissingKey&) {
        throw;  // whether a code is right cannot be told: nothing that was counted stays
    } catch (const std::exception& error) {
        base::log::error("operation failed", {{"request_id", ex.request_id}, {"action", ex.operation->name}, {"reason", error.what()}});
        ex.refusal = refuse(fault::internal_error);
    }
    ex.concerned = std::move(call.concerned);
}

// On a shared database: see api::Holds. Who the caller is was read up to stale_at_most_ms ago; what he stands for in a directory must be true now.
Checked hold(Exchange& ex, State& state, db::Transaction& tx) {
    const api::AnyOperation& operation = *ex.operation;
    if (!tx.shared() || operation.effect != api::Effect::write || operation.holds == api::Holds::nothing) return {};
    if (operation.holds == api::Holds::account && operation.resources[0].id) {
        store::hold_member(tx, ex.identity->caller.directory_id, *static_cast<const std::string*>(operation.resources[0].id(ex.decoded->get())));
        return {};
    }
    const auto account = store::hold_account(tx, ex.identity->caller.account_id);
    if (account && account->directory_id.value_or("") != ex.identity->caller.directory_id)
        if (auto refusal = reload_identity(ex, tx, state.ring, ex.identity->generation)) return refusal;
    if (!ex.identity->caller.directory_id.empty()) store::hold_directory(tx, ex.identity->caller.directory_id);
    return {};
}

}  // namespace

std::span<const Stage> stages_before() { return before; }

void execute(Exchange& ex, State& state, db::Transaction& tx) {
    ex.refusal.reset();  // the engine may run this again
    ex.body.clear();
    ex.concerned.clear();
    if (auto held = hold(ex, state, tx)) ex.refusal = std::move(held);
    else if (auto r = refresh_identity(ex, tx, state.ring, state.engine.generation(db::Topic::identities))) ex.refusal = std::move(r);  // a key that was disabled meanwhile
    else if (auto kind = check_caller_kind(ex)) ex.refusal = std::move(kind);                           // says what kind of caller it takes, whatever his policies
    else if (auto may = authorize(ex, ex.decoded->get(), tx, state.ring)) ex.refusal = std::move(may);  // deny unless allowed
    else if (auto off = check_site(ex, state.settings)) ex.refusal = std::move(off);                    // told only to those who may (decisions.md D.3)
    else if (auto none = check_channels(ex, state)) ex.refusal = std::move(none);                       // nothing is begun that cannot end
    if (ex.refusal) return;
    if (ex.operation->effect == api::Effect::read) {
        KeepsNothing nothing;
        return run_room(ex, state, tx, nothing);
    }
    RoomScope scope(tx);
    run_room(ex, state, tx, scope);
    if (!ex.refusal) scope.finish();
}

}  // namespace openrd::pipeline
