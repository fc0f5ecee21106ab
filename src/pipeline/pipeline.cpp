#include "pipeline/pipeline.hpp"

#include "api/faults.hpp"
#include "base/identifiers.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "keys/ring.hpp"
#include "pipeline/authenticate.hpp"
#include "pipeline/stages.hpp"
#include "store/facts.hpp"
#include "store/nonces.hpp"
#include "store/rates.hpp"

#include <chrono>
#include <utility>

namespace openrd::pipeline {
namespace {

using State = Pipeline::State;
using Shared = std::shared_ptr<Exchange>;

constexpr std::size_t counted_most = 10'000;

void log_call(const Exchange& ex, int status) {
    if (!base::log::enabled(base::log::Level::debug)) return;
    base::log::debug("call", {{"request_id", ex.request_id},
                              {"action", ex.operation ? ex.operation->name : std::string_view("-")},
                              {"account", ex.identity ? std::string_view(ex.identity->caller.account_id) : std::string_view("-")},
                              {"status", std::int64_t{status}},
                              {"code", ex.refusal ? std::string_view(ex.refusal->code) : std::string_view("OK")},
                              {"source", ex.request.source_address}});
}

Response response_of(Exchange& ex) {
    Response response;
    response.request_id = ex.request_id;
    response.content_type = ex.format == Format::xml ? wire::xml_content_type : wire::json_content_type;
    if (!ex.refusal) {
        response.body = std::move(ex.body);
        return response;
    }
    Refusal& refusal = *ex.refusal;
    response.status = refusal.http_status;
    if (refusal.retry_after_ms > 0) response.headers.emplace_back("x-acs-retry-after", std::to_string(refusal.retry_after_ms));
    if (refusal.recommend.empty() && ex.operation) refusal.recommend = "openrd describe " + std::string(ex.operation->name);
    const wire::ErrorAnswer answer{.request_id = ex.request_id,
                                   .host_id = ex.host,
                                   .code = refusal.code,
                                   .message = refusal.message,
                                   .recommend = refusal.recommend,
                                   .denied = refusal.denied ? &*refusal.denied : nullptr};
    response.body = ex.format == Format::xml ? wire::error_xml(answer) : wire::error_json(answer);
    return response;
}

void answer(State& state, Exchange& ex) {
    const Done done = std::exchange(ex.done, nullptr);
    if (!done) return;  // answered already, and then something failed
    state.in_flight.fetch_sub(1, std::memory_order_acq_rel);
    Response response = response_of(ex);
    log_call(ex, response.status);
    state.metrics.count(ex.operation, response.status, base::monotonic_ns() - ex.begun_ns);
    done(std::move(response));
}

// Refusals that come in floods are counted, and recorded once for a key, a code and a minute.
void count(State& state, const Exchange& ex) {
    const std::int64_t minute_ms = ex.now_ms / base::minute_ms * base::minute_ms;
    const std::lock_guard lock(state.counted_mutex);
    const std::pair key{ex.access_key_id + " " + ex.refusal->code, minute_ms};
    if (state.counted.size() >= counted_most && !state.counted.contains(key)) {
        base::log::error("a refusal was not counted: too many keys at once", {{"request_id", ex.request_id}});
        return;
    }
    auto& counted = state.counted[key];
    if (counted.count++ != 0) return;
    counted.identity = ex.identity;
    counted.operation = ex.operation;
    counted.version = ex.version;
    counted.source_address = ex.request.source_address;
    counted.code = ex.refusal->code;
    counted.message = ex.refusal->message;
    counted.minute_ms = minute_ms;
}

void write(State& state, const Shared& ex, bool run_operation);

// As many bytes as a write of an operation, at random so that no engine packs them: on a full disk a few may still find room.
constexpr std::size_t probe_bytes = 6 * 1024;
constexpr auto longest_probe = std::chrono::seconds(5);

void probe_writes(State& state) {
    if (!state.writes_refused.load(std::memory_order_acquire) || state.probing.exchange(true)) return;
    state.engine.write([](db::Transaction& tx) { store::put_fact(tx, store::fact_write_probe, base::hex(base::random_bytes(probe_bytes))); },
                       [&state](db::Outcome outcome, const std::exception_ptr&) {
                           if (outcome == db::Outcome::committed) state.writes_refused.store(false, std::memory_order_release);
                           state.probing.store(false, std::memory_order_release);
                       },
                       {.until = db::Terms::Time::now() + longest_probe});
}

void finish(State& state, const Shared& ex, db::Outcome outcome, const std::exception_ptr& error) {
    if (outcome != db::Outcome::committed) {
        ex->refusal = refuse(outcome == db::Outcome::failed ? fault::internal_error : fault::service_unavailable);
        if (outcome == db::Outcome::overloaded) count(state, *ex);
    }
    if (outcome == db::Outcome::failed || outcome == db::Outcome::unavailable) {
        bool refused = outcome == db::Outcome::unavailable;
        std::string reason = "the commit failed";
        try {
            if (error) std::rethrow_exception(error);
        } catch (const db::Error& e) {
            reason = e.what();
            if (e.trouble() == db::Trouble::unavailable) {
                ex->refusal = refuse(fault::service_unavailable);
                refused = true;
            }
        } catch (const keys::MissingKey& e) {
            reason = e.what();
            ex->refusal = refuse(fault::service_unavailable);
        } catch (const std::exception& e) { reason = e.what(); }
        // Only a probe says that it is over: the record of the refusal is small, and may find room where nothing else does.
        if (refused) state.writes_refused.store(true, std::memory_order_release);
        base::log::error("nothing was written", {{"request_id", ex->request_id}, {"action", ex->operation->name}, {"reason", reason}});
    }
    // The operation failed and took its record with it: the refusal has one of its own.
    if (outcome == db::Outcome::failed && !std::exchange(ex->failure_recorded, true)) return write(state, ex, false);
    answer(state, *ex);
}

void record(State& state, const Exchange& ex, db::Transaction& tx) {
    auto event = audit_event(ex, tx, state.ring);
    std::optional<store::UsedNonce> nonce;
    if (ex.operation->effect == api::Effect::write) nonce = {ex.nonce_hash, ex.signed_ms + state.settings.timestamp_window_ms};
    store::append_audit_event(tx, event, nonce);
}

// On a shared database memory decides no write: the nonce is taken in the transaction that it belongs to, first of all.
std::optional<store::NonceOfWrite> nonce_to_take(const State& state, const Exchange& ex) {
    // What memory has refused is a replay: its record must not take the nonce from the request that it repeats.
    if (!state.engine.shared() || ex.operation->effect != api::Effect::write || !ex.nonce_is_fresh) return {};
    return store::NonceOfWrite{.account_id = ex.identity->caller.account_id,
                               .hash = ex.nonce_hash,
                               .request_id = ex.request_id,
                               .until_ms = std::max(ex.signed_ms, ex.now_ms) + 2 * state.settings.timestamp_window_ms};
}

void write(State& state, const Shared& ex, bool run_operation) {
    const auto nonce = nonce_to_take(state, *ex);
    db::Terms terms{.until = ex->until};
    if (nonce) terms.was_committed = [nonce](db::Transaction& tx) { return store::settle_nonce(tx, *nonce); };
    state.engine.write(
        [&state, ex, run_operation, nonce, first = true](db::Transaction& tx) mutable {
            // The first time it is taken for granted that nobody has it: that saves the wait for one answer.
            const bool granted = std::exchange(first, false);
            if (nonce && granted) store::post_nonce(tx, *nonce);
            if (nonce && !granted && !store::take_nonce(tx, *nonce)) ex->refusal = refuse(fault::nonce_used);
            else if (run_operation) execute(*ex, state, tx);
            record(state, *ex, tx);
        },
        [&state, ex](db::Outcome outcome, const std::exception_ptr& error) { finish(state, ex, outcome, error); }, std::move(terms));
}

// Nothing is answered before its record is committed.
void after_read(State& state, const Shared& ex) {
    if (ex->refusal || state.settings.audit.reads) write(state, ex, false);
    else answer(state, *ex);
}

// What a thread does for a request, whatever it throws.
template <class Work> void carefully(State& state, const Shared& ex, Work work) {
    try {
        work();
    } catch (const db::Error& error) {
        base::log::error("the database failed", {{"request_id", ex->request_id}, {"reason", error.what()}});
        ex->refusal = refuse(error.trouble() == db::Trouble::unavailable ? fault::service_unavailable : fault::internal_error);
        answer(state, *ex);
    } catch (const keys::MissingKey& error) {
        base::log::error("a key is missing", {{"request_id", ex->request_id}, {"reason", error.what()}});
        ex->refusal = refuse(fault::service_unavailable);
        answer(state, *ex);
    } catch (const std::exception& error) {
        base::log::error("a request failed", {{"request_id", ex->request_id}, {"reason", error.what()}});
        ex->refusal = refuse(fault::internal_error);
        answer(state, *ex);
    }
}

// Goes on when a thread of the engine has done `work`, on that thread.
void apart(State& state, const Shared& ex, db::Engine::Work work, std::function<void()> then) {
    ex->apart = true;
    state.engine.read_apart(
        std::move(work),
        [&state, ex, then = std::move(then)](db::Outcome outcome, const std::exception_ptr& error) {
            carefully(state, ex, [&] {
                if (error) std::rethrow_exception(error);
                if (outcome == db::Outcome::committed) return then();
                ex->refusal = refuse(fault::service_unavailable);
                if (ex->authenticated) count(state, *ex);
                answer(state, *ex);
            });
        },
        ex->until);
}

void read(State& state, const Shared& ex) {
    const auto work = [&state, ex](db::Transaction& tx) { execute(*ex, state, tx); };
    if (!state.engine.reads_at_once() && !ex->apart) return apart(state, ex, work, [&state, ex] { after_read(state, ex); });
    state.engine.read(work);
    after_read(state, ex);
}

Response preflight() {
    Response response;
    response.headers = {
        {"access-control-allow-methods", "POST, GET, OPTIONS, PUT, DELETE"},
        {"access-control-allow-headers",
         "Authorization, Content-Type, Content-MD5, Accept, x-acs-action, x-acs-version, x-acs-date, x-acs-signature-nonce, x-acs-content-sha256, x-acs-accesskey-id, "
         "x-acs-security-token, x-acs-credentials-provider, x-sdk-client, x-sdk-invoke-type"},
        {"access-control-max-age", "172800"}};
    return response;
}

void go(State& state, const Shared& ex, std::size_t next = 0) {
    const auto stages = stages_before();
    for (; next < stages.size(); ++next) {
        // The threads that serve connections never wait for a network.
        if (stages[next].asks_the_database && !state.engine.reads_at_once() && !ex->apart && !owner_is_known(*ex, state.engine, state.identities))
            return apart(
                state, ex, [](db::Transaction&) {}, [&state, ex, next] { go(state, ex, next); });
        ex->refusal = stages[next].run(*ex, state);
        if (ex->refusal) break;
    }
    if (ex->refusal) {
        if (ex->counted) count(state, *ex);
        if (!ex->authenticated || ex->counted) return answer(state, *ex);
        return write(state, ex, false);
    }
    if (ex->operation->effect == api::Effect::read) read(state, ex);
    else write(state, ex, true);
}

void write_counted(State& state, bool all) {
    const std::int64_t this_minute_ms = state.clock.now_ms() / base::minute_ms * base::minute_ms;
    std::vector<CountedRefusals> over;
    {
        const std::lock_guard lock(state.counted_mutex);
        std::erase_if(state.counted, [&](auto& entry) {
            if (!all && entry.second.minute_ms == this_minute_ms) return false;
            over.push_back(std::move(entry.second));
            return true;
        });
    }
    if (over.empty()) return;
    try {
        state.engine.write_and_wait([&](db::Transaction& tx) {
            for (const auto& refusals : over) {
                auto event = audit_event(refusals);
                store::append_audit_event(tx, event, {});
            }
        });
    } catch (const std::exception& error) {
        // They are kept for the next try: the log may come late, it may not forget.
        const std::lock_guard lock(state.counted_mutex);
        for (auto& refusals : over) {
            const auto count = refusals.count;
            const auto [at, is_new] = state.counted.try_emplace({refusals.identity->caller.access_key_id + " " + refusals.code, refusals.minute_ms}, std::move(refusals));
            if (!is_new) at->second.count += count;
        }
        base::log::error("counted refusals were not written", {{"reason", error.what()}});
    }
}

}  // namespace

Pipeline::Pipeline(db::Engine& engine, const keys::Ring& ring, const phone::Numbering& numbering, const base::Clock& clock, const base::Settings& settings)
    : state_(new State{.engine = engine, .ring = ring, .numbering = numbering, .clock = clock, .settings = settings, .nonces = Nonces(settings.timestamp_window_ms)}) {
    if (engine.shared()) return;  // there the database remembers those of writes
    const auto window = settings.timestamp_window_ms;
    const auto now_ms = clock.now_ms();
    engine.read([&](db::Transaction& tx) {
        for (const auto& nonce : store::used_nonces(tx, now_ms - 2 * window - base::minute_ms, now_ms)) state_->nonces.take(nonce.hash, nonce.until_ms - window, now_ms);
    });
}

Pipeline::~Pipeline() = default;

void Pipeline::handle(const Request& request, Done done) {
    if (request.method == "OPTIONS") return done(preflight());
    state_->in_flight.fetch_add(1, std::memory_order_acq_rel);
    const auto ex = std::make_shared<Exchange>(request, std::move(done));
    ex->request_id = base::request_id();
    ex->now_ms = state_->clock.now_ms();
    ex->begun_ns = base::monotonic_ns();
    ex->until = db::Terms::Time::now() + std::chrono::milliseconds(state_->settings.request_deadline_ms);
    carefully(*state_, ex, [&] { go(*state_, ex); });
}

bool Pipeline::takes_writes() const { return !state_->writes_refused.load(std::memory_order_acquire); }

void Pipeline::housekeep() {
    probe_writes(*state_);
    write_counted(*state_, false);
    constexpr std::int64_t rows_at_a_time = 1000;
    const auto now_ms = state_->clock.now_ms();
    // Only the strict profile counts in windows: the others have nothing to clear away, and no reason to write.
    bool stale = false, old_nonces = false;
    state_->engine.read([&](db::Transaction& tx) {
        stale = store::has_old_windows(tx, now_ms);
        old_nonces = tx.shared() && store::has_old_nonces(tx, now_ms);
    });
    if (old_nonces) state_->engine.write_and_wait([&](db::Transaction& tx) { store::delete_old_nonces(tx, now_ms); });
    if (stale) state_->engine.write_and_wait([&](db::Transaction& tx) { store::delete_old_windows(tx, now_ms, rows_at_a_time); });
}

void Pipeline::flush() { write_counted(*state_, true); }

void Pipeline::forget() {
    state_->nonces.clear();
    state_->throttle.clear();
    state_->identities.clear();
    const std::lock_guard lock(state_->counted_mutex);
    state_->counted.clear();
}

const Metrics& Pipeline::metrics() const { return state_->metrics; }

std::size_t Pipeline::in_flight() const { return state_->in_flight.load(std::memory_order_acquire); }

}  // namespace openrd::pipeline
