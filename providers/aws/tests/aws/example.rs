//! The example `examples/hybrid-shop-aws`, from nothing to nothing, looked at from outside.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use strat_aws::AwsFactory;
use strat_provider::{Registry, TokioClock};
use strat_sim::SimFactory;
use stratiform::{
    ApplyOptions, EventSink, Inputs, Mode, Plan, PlanOptions, RunOptions, Session, Workspace,
};

use crate::harness::{Moto, credentials};
use crate::moto;

/// Machines of the fleet: twelve fit the racks, the rest goes to the cloud.
const WEB: u32 = 20;

struct Shop {
    folder: tempfile::TempDir,
    endpoint: String,
    racks: SimFactory,
}

impl Shop {
    fn new(endpoint: String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop-aws");
        for file in ["shop.hcl", "ops.pub", "web-init.yaml"] {
            std::fs::copy(example.join(file), folder.path().join(file)).expect("a copy");
        }
        Self {
            folder,
            endpoint,
            racks: SimFactory::new(),
        }
    }

    async fn session(&self) -> Session {
        let aws = AwsFactory::with_credentials(credentials());
        let registry = Registry::new().with(self.racks.clone()).with(aws);
        let mut inputs = Inputs::default();
        inputs
            .vars
            .insert("endpoint".to_owned(), self.endpoint.clone());
        inputs.vars.insert("web_count".to_owned(), WEB.to_string());
        let workspace = Workspace::load(self.folder.path(), inputs, registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the example: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the sites answer")
    }

    async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    async fn apply(&self, mode: Mode) -> Plan {
        let session = self.session().await;
        let run = session
            .begin(&RunOptions::new("test"))
            .await
            .expect("begins");
        let options = PlanOptions {
            mode,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await.expect("a plan");
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await.expect("applies");
        run.end().await.expect("ends");
        let failures = outcome
            .reports
            .iter()
            .flat_map(stratiform::engine::Report::failures);
        let failures: Vec<_> = failures
            .map(|(step, why)| format!("{}: {why}", step.addr))
            .collect();
        assert!(outcome.is_success(), "{failures:#?}");
        planned.saved.plan
    }

    /// Takes the protection off the databases' volumes.
    fn lift(&self) {
        let file = self.folder.path().join("shop.hcl");
        let text = std::fs::read_to_string(&file).expect("the example");
        std::fs::write(file, text.replace("protect  = true", "protect  = false")).expect("written");
    }

    /// Runs the outside view, and gives what it prints.
    fn look(&self, command: &[&str], input: &str) -> String {
        use std::io::Write as _;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/shop.py");
        let mut child = Command::new(moto::python())
            .arg(script)
            .arg(&self.endpoint)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut stdin = child.stdin.take().expect("an input");
        stdin.write_all(input.as_bytes()).expect("written");
        drop(stdin);
        let output = child.wait_with_output().expect("python ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shop_is_applied_drifts_is_repaired_and_goes() {
    let server = moto::Moto::start();
    let moto = Moto::on(server.port).await;
    let shop = Shop::new(format!("http://127.0.0.1:{}", moto.filter.port));
    let foreign = shop.look(&["foreign"], "");
    let paid_for = || {
        let lives = moto.filter.lives().into_values();
        lives.filter(|(_, until)| until.is_none()).count()
    };
    let foreign_machines = paid_for();

    shop.apply(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "apply, then plan: {:#?}", again.changes);
    shop.look(&["check", "--web", "8"], "");

    shop.look(&["drift"], "");
    let drift = shop.plan().await;
    assert!(drift.drift().count() >= 4, "{:#?}", drift.changes);
    shop.apply(Mode::Apply).await;
    shop.look(&["check", "--web", "8"], "");
    let again = shop.plan().await;
    assert!(
        again.is_empty(),
        "repaired, then planned: {:#?}",
        again.changes
    );

    shop.lift();
    shop.apply(Mode::Apply).await;
    shop.apply(Mode::Destroy).await;
    shop.look(&["gone"], "");
    shop.look(&["kept"], &foreign);
    assert_eq!(
        paid_for(),
        foreign_machines,
        "machines that were ever launched and not ended"
    );
}
