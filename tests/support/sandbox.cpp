#include "support/sandbox.hpp"

#include "base/identifiers.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "db/open.hpp"
#include "phone/mobile_number.hpp"
#include "phone/numbering.hpp"
#include "sandbox/seed.hpp"
#include "store/audit_events.hpp"
#include "store/key_uses.hpp"
#include "store/verifications.hpp"
#include "support/postgres.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <future>
#include <ostream>
#include <stdexcept>

namespace openrd::tests {
namespace {

std::string query_text(const Parameters& parameters) {
    std::string text;
    for (const auto& [name, value] : parameters) text += (text.empty() ? "" : "&") + wire::percent_encode(name) + "=" + wire::percent_encode(value);
    return text;
}

Wire sign_v3(std::string_view action, const Parameters& parameters, const How& how, std::int64_t now_ms) {
    Wire w{.method = "POST", .target = "/?" + query_text(parameters), .body = {}, .headers = {}};
    if (!how.format.empty()) w.target += (parameters.empty() ? "" : "&") + ("Format=" + how.format);
    w.headers = {{"host", "127.0.0.1:8080"},
                 {"x-acs-action", std::string(action)},
                 {"x-acs-version", how.version},
                 {"x-acs-date", base::utc_seconds(now_ms)},
                 {"x-acs-signature-nonce", how.nonce.empty() ? base::hex(base::random_bytes(16)) : how.nonce},
                 {"x-acs-content-sha256", wire::sha256_hex("")}};
    if (!how.key.token.empty()) {
        w.headers.emplace_back("x-acs-accesskey-id", how.key.id);
        w.headers.emplace_back("x-acs-security-token", how.key.token);
    }
    std::vector<wire::HeaderView> views;
    for (const auto& [name, value] : w.headers) views.push_back({name, value});
    const auto query = wire::query_pairs(std::string_view(w.target).substr(2));
    const wire::SigningKey key{base::Secret(how.key.secret)};
    const auto signed_headers = wire::default_signed_headers(views);
    w.headers.emplace_back("authorization", wire::sign_v3(key, how.key.id, signed_headers, {.method = w.method, .query = query, .headers = views, .body = {}}));
    return w;
}

Wire sign_v1(std::string_view action, const Parameters& parameters, const How& how, std::int64_t now_ms) {
    const bool sha256 = how.scheme == Scheme::v1_sha256;
    Parameters all = parameters;
    all.insert(all.end(), {{"Action", std::string(action)},
                           {"Version", how.version},
                           {"AccessKeyId", how.key.id},
                           {"SignatureMethod", sha256 ? "HMAC-SHA256" : "HMAC-SHA1"},
                           {"SignatureVersion", "1.0"},
                           {"SignatureNonce", how.nonce.empty() ? base::hex(base::random_bytes(16)) : how.nonce},
                           {"Timestamp", base::utc_seconds(now_ms)}});
    if (!how.format.empty()) all.emplace_back("Format", how.format);
    if (!how.key.token.empty()) all.emplace_back("SecurityToken", how.key.token);
    Wire w{.method = how.scheme == Scheme::v1_post ? "POST" : "GET", .target = "/", .body = {}, .headers = {{"Host", "127.0.0.1:8080"}}};
    const wire::SigningKey key{base::Secret(how.key.secret)};
    const auto text = wire::string_to_sign_v1(w.method, wire::Parameters(all));
    all.emplace_back("Signature", wire::sign_v1(key, sha256 ? wire::SignatureMethod::hmac_sha256 : wire::SignatureMethod::hmac_sha1, text));
    if (w.method == "POST") {
        w.body = query_text(all);
        w.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    } else {
        w.target += "?" + query_text(all);
    }
    return w;
}

}  // namespace

std::string Answer::text(std::string_view pointer) const {
    boost::system::error_code error;
    const auto value = boost::json::parse(body, error);
    if (error) return {};
    const auto* at = value.find_pointer({pointer.data(), pointer.size()}, error);
    if (!at) return {};
    return at->is_string() ? std::string(at->get_string()) : boost::json::serialize(*at);
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) { return out << answer.status << ' ' << answer.body; }

base::Settings Sandbox::open_settings() {
    base::Settings settings;
    settings.sandbox = true;
    settings.quotas = {0, 0};
    settings.rates.enforced = false;
    return settings;
}

Sandbox::Sandbox(base::Settings settings) : Sandbox(SharedPlace(), std::move(settings)) {}

Sandbox::Sandbox(SharedPlace place, base::Settings settings) : place_(std::move(place)), settings_(std::move(settings)) {
    std::string name = (std::filesystem::temp_directory_path() / "openrd-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    directory_ = name;
    const char* engine = std::getenv("OPENRD_TEST_ENGINE");
    if (place_.url.empty() && engine && engine == std::string_view("postgres")) {
        if (const auto why = PostgresCluster::missing(); !why.empty()) throw std::runtime_error(why);  // ctest skips a test that says so
        database_ = std::make_unique<PostgresDatabase>();
        place_.url = database_->url();
    }
    if (place_.key_file.empty()) place_.key_file = directory_ / "openrd.key";
    open();
}

Sandbox::~Sandbox() {
    close();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

void Sandbox::open() {
    const auto key_file = place_.key_file.string();
    ring_ = std::make_unique<keys::Ring>(std::filesystem::exists(key_file) ? keys::Ring::load(key_file) : keys::Ring::create(key_file));
    engine_ = db::open({.directory = directory_.string(),
                        .url = place_.url,
                        .create = true,
                        .durable = false,
                        .connections = place_.connections,
                        .deadline_ms = place_.deadline_ms,
                        .first_content = [&](db::Transaction& tx) { sandbox::seed(tx, *ring_, settings_.audit.origin, clock_.now_ms()); }});
    engine_->read([&](db::Transaction& tx) { ring_->use(store::load_key_uses(tx)); });
    pipeline_ = std::make_unique<pipeline::Pipeline>(*engine_, *ring_, phone::Numbering::built_in(), clock_, settings_);
}

void Sandbox::close() {
    if (engine_) engine_->close();
    pipeline_.reset();
    engine_.reset();
    ring_.reset();
}

std::string Sandbox::database_url() const { return place_.url; }

void Sandbox::restart() {
    close();
    open();
}

Wire Sandbox::sign(std::string_view action, const Parameters& parameters, const How& how) const {
    return how.scheme == Scheme::v3 ? sign_v3(action, parameters, how, clock_.now_ms()) : sign_v1(action, parameters, how, clock_.now_ms());
}

void Sandbox::send(const Wire& w, std::function<void(Answer)> done) {
    auto headers = std::make_shared<std::vector<pipeline::Header>>();
    for (const auto& [name, value] : w.headers) headers->push_back({name, value});
    const pipeline::Request request{.method = w.method, .target = w.target, .body = w.body, .headers = *headers, .source_address = "192.0.2.7", .tls = false};
    pipeline_->handle(request, [headers, done = std::move(done)](pipeline::Response r) {
        done({.status = r.status, .content_type = std::string(r.content_type), .body = std::move(r.body), .request_id = std::move(r.request_id), .headers = std::move(r.headers)});
    });
}

Answer Sandbox::send(const Wire& w) {
    std::promise<Answer> promise;
    auto answer = promise.get_future();
    send(w, [&promise](Answer a) { promise.set_value(std::move(a)); });
    return answer.get();
}

Answer Sandbox::call(std::string_view action, const Parameters& parameters, const How& how) { return send(sign(action, parameters, how)); }

Answer Sandbox::send_code(const std::string& account_id, const std::string& phone, const How& how) {
    return call("SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", account_id}, {"SecureMobilePhone", phone}}, how);
}

Answer Sandbox::bind(const std::string& account_id, const std::string& phone, const std::string& code, const How& how) {
    return call("BindSecureMobilePhone", {{"AccountId", account_id}, {"SecureMobilePhone", phone}, {"VerificationCode", code}}, how);
}

std::string Sandbox::code_of(const std::string& account_id, const std::string& phone) {
    std::string code;
    engine_->read([&](db::Transaction& tx) {
        const auto verification = store::find_verification(tx, account_id, store::purpose_bind);
        const auto number = phone::MobileNumber::parse(phone);
        if (verification && number)
            code =
                ring_->code(verification->verification_id, account_id, store::purpose_bind, number->reveal_e164(), static_cast<std::uint32_t>(verification->code_key_id)).reveal();
    });
    return code;
}

std::vector<boost::json::object> Sandbox::events(const std::string& account_id) {
    std::vector<boost::json::object> bodies;
    // No sealer runs here: on a shared database this is what numbers the entries.
    if (database_) engine_->write_and_wait([](db::Transaction& tx) { store::number_audit_events(tx, store::last_arrival(tx), 1'000'000); });
    engine_->read([&](db::Transaction& tx) {
        bodies.clear();
        for (const auto& event : store::audit_events_after(tx, 0, 1'000'000))
            if (event.account_id == account_id) bodies.push_back(boost::json::parse(event.body).as_object());
    });
    return bodies;
}

std::string Sandbox::everything() {
    static constexpr db::Sql tables{"SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"};
    static constexpr db::Sql shared_tables{"SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1"};
    // The engine keeps statements by the address of their text, so it must stay.
    static std::vector<std::unique_ptr<std::string>> texts;
    const auto kept = [](std::string text) { return db::Sql{texts.emplace_back(std::make_unique<std::string>(std::move(text)))->c_str()}; };
    const bool shared = engine_->shared();
    std::string text;
    engine_->read([&](db::Transaction& tx) {
        text.clear();
        std::vector<std::string> names;
        for (auto rows = tx.query(shared ? shared_tables : tables); rows.next();) names.push_back(rows.text(0));
        for (const auto& name : names) {
            // The columns joined by the database itself; bytes as they are, there and here.
            const auto columns_of =
                shared ? "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = '" +
                             name + "' ORDER BY ordinal_position"
                       : "SELECT name, type FROM pragma_table_info('" + name + "') ORDER BY cid";
            std::string columns;
            for (auto rows = tx.query(kept(columns_of)); rows.next();) {
                const auto column = rows.text(0);
                const auto as_bytes = !shared ? "CAST(" + column + " AS BLOB)" : rows.text(1) == "bytea" ? column : "convert_to(CAST(" + column + " AS TEXT), 'UTF8')";
                columns += (columns.empty() ? ""
                            : shared        ? " || CAST('|' AS BYTEA) || "
                                            : " || '|' || ") +
                           ("coalesce(" + as_bytes + (shared ? ", CAST('NULL' AS BYTEA))" : ", 'NULL')"));
            }
            text += "== " + name + "\n";
            for (auto rows = tx.query(kept("SELECT " + (shared ? columns : "CAST(" + columns + " AS BLOB)") + " AS line FROM " + name + " ORDER BY line")); rows.next();)
                text += rows.bytes(0) + "\n";
        }
    });
    return text;
}

std::int64_t Sandbox::count(const char* table_and_condition) {
    static std::vector<std::unique_ptr<std::string>> texts;
    const auto text = texts.emplace_back(std::make_unique<std::string>(std::string("SELECT count(*) FROM ") + table_and_condition)).get();
    std::int64_t n = 0;
    engine_->read([&](db::Transaction& tx) {
        auto rows = tx.query(db::Sql{text->c_str()});
        n = rows.next() ? rows.integer(0) : -1;
    });
    return n;
}

}  // namespace openrd::tests
