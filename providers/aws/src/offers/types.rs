//! Machine types and their sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use aws_sdk_ec2::types::{
    GpuDeviceInfo, GpuInfo, InstanceType, InstanceTypeInfo, MemoryInfo, ProcessorInfo, VCpuInfo,
};
use strat_model::{Bytes, Result};

use crate::arch;
use crate::error::failed;
use crate::provider::{AwsProvider, filter};

/// The most types that one call describes.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html>
const TYPES_MAX: usize = 100;

/// How large a machine type is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TypeSize {
    /// Virtual CPUs.
    pub(crate) cpu: u32,
    /// Memory.
    pub(crate) memory: Bytes,
    /// The instruction set; empty for what no machine here is of.
    pub(crate) arch: &'static str,
    /// GPUs.
    pub(crate) gpus: u32,
    /// Their model.
    pub(crate) gpu: Option<String>,
    /// Whether its machines have disks of the host, which are empty after each start.
    pub(crate) host_disks: bool,
}

/// The sizes that are known: a type's never changes.
#[derive(Debug, Default)]
pub(crate) struct TypeCache(Mutex<BTreeMap<String, TypeSize>>);

impl TypeCache {
    fn learn(&self, sizes: &BTreeMap<String, TypeSize>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(
            sizes
                .iter()
                .map(|(kind, size)| (kind.clone(), size.clone())),
        );
    }

    /// The size of a type, if it is known.
    pub(crate) fn one(&self, kind: &str) -> Option<TypeSize> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(kind).cloned()
    }

    /// Those of these types that are known.
    fn known(&self, types: &BTreeSet<String>) -> BTreeMap<String, TypeSize> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = types
            .iter()
            .filter_map(|kind| Some((kind.clone(), known.get(kind)?.clone())));
        found.collect()
    }
}

impl AwsProvider {
    /// The sizes of these types; a call only for those that are new.
    pub(crate) async fn sizes(
        &self,
        types: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, TypeSize>> {
        let mut sizes = self.types.known(types);
        let new: Vec<&String> = types
            .iter()
            .filter(|kind| !sizes.contains_key(*kind))
            .collect();
        for new in new.chunks(TYPES_MAX) {
            let wanted = new.iter().map(|kind| InstanceType::from(kind.as_str()));
            let call = self.ec2().describe_instance_types();
            let call = call.set_instance_types(Some(wanted.collect()));
            let answer = call
                .send()
                .await
                .map_err(failed("ec2:DescribeInstanceTypes"))?;
            let read = answer.instance_types().iter().filter_map(size_of).collect();
            self.types.learn(&read);
            sizes.extend(read);
        }
        Ok(sizes)
    }

    /// The sizes of all types that are for us.
    pub(super) async fn all_sizes(&self) -> Result<BTreeMap<String, TypeSize>> {
        let mut pages = self
            .ec2()
            .describe_instance_types()
            .filters(filter(
                "processor-info.supported-architecture",
                arch::words(),
            ))
            .filters(filter("bare-metal", ["false"]))
            .filters(filter("supported-usage-class", ["on-demand"]))
            .max_results(100)
            .into_paginator()
            .items()
            .send();
        let mut sizes = BTreeMap::new();
        while let Some(info) = pages.next().await {
            let info = info.map_err(failed("ec2:DescribeInstanceTypes"))?;
            sizes.extend(size_of(&info).filter(|(_, size)| !size.arch.is_empty()));
        }
        self.types.learn(&sizes);
        Ok(sizes)
    }
}

fn size_of(info: &InstanceTypeInfo) -> Option<(String, TypeSize)> {
    let kind = info.instance_type()?.as_str().to_owned();
    let cpu = info.v_cpu_info().and_then(VCpuInfo::default_v_cpus)?;
    let mib = info.memory_info().and_then(MemoryInfo::size_in_mib)?;
    // A type with a part of a GPU, such as `g6f.large`, is told with a count of 0: it has none whole.
    let cards = info.gpu_info().map(GpuInfo::gpus).unwrap_or_default();
    let whole = || cards.iter().filter(|card| card.count() > Some(0));
    let count: i32 = whole().filter_map(GpuDeviceInfo::count).sum();
    let archs = info.processor_info();
    let archs = archs.map(ProcessorInfo::supported_architectures);
    let size = TypeSize {
        arch: arch::of_type(archs.unwrap_or_default()).unwrap_or_default(),
        cpu: u32::try_from(cpu).ok()?,
        memory: Bytes(u64::try_from(mib).ok()? << 20),
        gpus: u32::try_from(count).ok()?,
        gpu: whole().find_map(GpuDeviceInfo::name).map(str::to_owned),
        host_disks: info.instance_storage_supported() == Some(true),
    };
    Some((kind, size))
}
