import pytest

from results.schema.operators import operator_kind

NAMES = {
    "convolution": [
        "aten::conv2d",
        "aten::mkldnn_convolution",
        "aten::convolution_backward",
        "ConvolutionBackward0",
        "void cudnn::winograd_nonfused::winogradForwardData4x4<float, float>(...)",
        "sm80_xmma_fprop_implicit_gemm_f32f32_f32f32_f32_nhwckrsc_nchw",
        "sm86_xmma_wgrad_implicit_gemm_tf32f32",
        "miopenSp3AsmConv_v21_1_2_gfx9_fp32_f2x3",
    ],
    "linear": [
        "aten::addmm",
        "aten::mm",
        "AddmmBackward0",
        "volta_sgemm_128x64_tn",
        "ampere_sgemm_32x128_tn",
        "Cijk_Alik_Bljk_SB_MT64x64x16",
        "void gemv2T_kernel_val<int, float>",
    ],
    "normalisation": [
        "aten::batch_norm",
        "aten::native_batch_norm_backward",
        "NativeBatchNormBackward0",
        "void cudnn::bn_fw_tr_1C11_kernel_NCHW<float>",
        "void at::native::batch_norm_collect_statistics_kernel",
    ],
    "activation": ["aten::relu_", "aten::clamp_min_", "ReluBackward0", "aten::threshold_backward"],
    "addition": [
        "aten::add",
        "aten::add_",
        "AddBackward0",
        "void at::native::vectorized_elementwise_kernel<4, at::native::CUDAFunctor_add<float>>",
    ],
    "pooling": ["aten::max_pool2d_with_indices", "aten::adaptive_avg_pool2d", "MaxPool2DWithIndicesBackward0"],
    "loss": ["aten::nll_loss_forward", "aten::_log_softmax", "LogSoftmaxBackward0", "NllLossBackward0"],
    "optimizer": ["aten::_foreach_add_", "Optimizer.step#SGD.step", "aten::_fused_sgd_", "multi_tensor_apply_kernel"],
    "copy": [
        "aten::copy_",
        "aten::_to_copy",
        "aten::to",
        "aten::contiguous",
        "Memcpy HtoD (Pageable -> Device)",
        "Memset (Device)",
        "void cudnn::ops::nchwToNhwcKernel<float>",
        "void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<float>, std::array<char*, 1ul>>",
    ],
    "fused": ["triton_poi_fused_relu_0", "triton_red_fused_native_batch_norm_1", "cpp_fused_add_relu_3"],
    "communication": ["ncclDevKernel_AllReduce_Sum_f32_RING_LL", "nccl:all_reduce", "record_param_comms"],
    "other": ["aten::mean", "aten::empty", "cudaLaunchKernel"],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names])
def test_names_have_their_class(kind, name):
    assert operator_kind(name) == kind
